use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Form {
    #[serde(with = "duration")]
    time: Duration,
    #[serde(default, with = "optional_duration")]
    perhaps: Option<Duration>,
    #[serde(with = "bytes")]
    size: usize,
}

#[track_caller]
fn check_time(text: &str, ns: u64) {
    assert_eq!(parse_duration(text).expect(text), Duration::from_nanos(ns), "{text}");
}

#[track_caller]
fn check_refusal<T: fmt::Debug>(parsed: Result<T>, words: &str) {
    let error = format!("{:#}", parsed.expect_err("refused"));
    assert!(error.contains(words), "{error:?} does not say {words:?}");
}

#[test]
fn a_time_is_a_sum_of_numbers_with_units() {
    check_time("10s", 10_000_000_000);
    check_time("250ms", 250_000_000);
    check_time("1m30s", 90_000_000_000);
    check_time(" 1 h 2 m 3 s 4 ms 5 us 6 ns ", 3_723_004_005_006);
    check_time("50us", 50_000);
    check_time("50µs", 50_000);
    check_time("50μs", 50_000);
    check_time("0s", 0);
}

#[test]
fn decimals_of_a_time_are_exact() {
    check_time("1.5 ms", 1_500_000);
    check_time("4.35ms", 4_350_000);
    check_time("0.000000001s", 1);
    check_time("0.5m", 30_000_000_000);
    for text in ["0.5ns", "1.2.3s", "1.s"] {
        check_refusal(parse_duration(text), "is not a time");
    }
}

#[test]
fn a_time_without_a_unit_is_refused_with_what_to_write() {
    check_refusal(parse_duration("10"), "10 has no unit; write \"10s\" or \"10ms\"");
    check_refusal(parse_duration("0"), "0 has no unit; write \"0s\" or \"0ms\"");
    check_refusal(parse_duration("1m30"), "time unit needed, for example 30sec or 30ms");
}

#[test]
fn a_refused_time_comes_with_examples() {
    for text in ["", "soon", "-1s", "10 parsecs", "99999999999999999999h"] {
        check_refusal(parse_duration(text), &format!("\"{text}\" is not a time: "));
        check_refusal(parse_duration(text), "write one such as \"10s\", \"250ms\" or \"1m30s\"");
    }
}

#[test]
fn a_size_is_a_whole_number_of_iec_units_or_of_bytes() {
    for (text, bytes) in [("64", 64), ("64B", 64), ("16KiB", 16_384), ("1 MiB", 1 << 20)] {
        assert_eq!(parse_bytes(text).expect(text), bytes, "{text}");
    }
    for text in ["", "16KB", "1.5KiB", "KiB", "1KiB2B", "-1", "99999999999999GiB"] {
        check_refusal(parse_bytes(text), &format!("\"{text}\" is not a size"));
        check_refusal(parse_bytes(text), "such as \"16KiB\"");
    }
}

#[test]
fn times_and_sizes_are_written_short() {
    let times = [0, 1, 1_500, 1_500_000, 250_000_000, 1_250_000_000, 90_000_000_000];
    let written = times.map(|ns| exact_duration(Duration::from_nanos(ns)));
    assert_eq!(written, ["0s", "1ns", "1.5us", "1.5ms", "250ms", "1.25s", "1m30s"]);
    assert_eq!(exact_duration(Duration::from_secs(3600)), "1h");
    assert_eq!(exact_duration(Duration::from_millis(60_500)), "1m0.5s");
    let sizes = [0, 64, 1500, 16_384, 3 << 20].map(exact_bytes);
    assert_eq!(sizes, ["0B", "64B", "1500B", "16KiB", "3MiB"]);
}

#[test]
fn a_bare_number_in_a_file_is_a_size_and_not_a_time() {
    let refused = |text: &str| toml::from_str::<Form>(text).expect_err("refused").to_string();
    assert!(refused("time = 10\nsize = 1").contains("10 has no unit"), "{}", refused("time = 10"));
    assert!(refused("time = 1.5\nsize = 1").contains("1.5 has no unit"));
    assert!(refused("time = '1s'\nperhaps = 5\nsize = 1").contains("5 has no unit"));
    assert!(refused("time = '1s'\nsize = -1").contains("\"-1\" is not a size"));
    assert!(refused("time = '1s'\nsize = true").contains("text with a unit, such as"));
}

proptest! {
    #[test]
    fn every_time_survives_writing_and_reading(ns: u64) {
        let time = Duration::from_nanos(ns);
        prop_assert_eq!(parse_duration(&exact_duration(time)).expect("written here"), time);
    }

    #[test]
    fn every_size_survives_writing_and_reading(size: usize) {
        prop_assert_eq!(parse_bytes(&exact_bytes(size)).expect("written here"), size);
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in "\\PC{0,12}|[0-9.]{1,25}(h|m|s|ms|us|µs|ns|KiB)?") {
        let _ = parse_duration(&text);
        let _ = parse_bytes(&text);
    }

    #[test]
    fn forms_survive_toml(ns in 0..u64::MAX / 2, perhaps: Option<u32>, size in 0..usize::MAX / 2) {
        let form = Form {
            time: Duration::from_nanos(ns),
            perhaps: perhaps.map(|ms| Duration::from_millis(ms.into())),
            size,
        };
        let text = toml::to_string(&form).expect("plain values");
        prop_assert_eq!(toml::from_str::<Form>(&text).expect("written here"), form);
    }
}
