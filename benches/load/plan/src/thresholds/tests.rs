use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::metrics::Timing;
use crate::outcome::Fault;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Form {
    #[serde(default, with = "table")]
    thresholds: Vec<Threshold>,
}

fn form(table: &str) -> Result<Vec<Threshold>, toml::de::Error> {
    toml::from_str(&format!("[thresholds]\n{table}")).map(|Form { thresholds }| thresholds)
}

#[track_caller]
fn check(text: &str, metric: Metric, op: Op, limit: f64) {
    let threshold: Threshold = text.parse().expect(text);
    assert_eq!(threshold, Threshold::new(metric, op, limit), "{text}");
}

#[track_caller]
fn check_refusal(text: &str, words: &str) {
    let error = format!("{:#}", text.parse::<Threshold>().expect_err("refused"));
    assert!(error.contains(words), "{error:?} does not say {words:?}");
}

#[track_caller]
fn check_table(table: &str, expected: &[&str]) {
    let read: Vec<String> = form(table).expect(table).iter().map(Threshold::to_string).collect();
    assert_eq!(read, expected);
}

#[test]
fn a_threshold_is_a_metric_a_comparison_and_a_limit_in_its_unit() {
    check("latency_p99 < 5 ms", Metric::Latency(Statistic::P99), Op::Lt, 5e6);
    check("latency_p99<4.35ms", Metric::Latency(Statistic::P99), Op::Lt, 4.35e6);
    check("connect_max <= 1m30s", Metric::Timing(Timing::Connect, Statistic::Max), Op::Le, 90e9);
    check("errors <= 1%", Metric::Errors, Op::Le, 0.01);
    check("errors <= 7 %", Metric::Errors, Op::Le, 0.07);
    check("errors == 0", Metric::Errors, Op::Eq, 0.0);
    check("lost == 0", Metric::Fault(Fault::Lost), Op::Eq, 0.0);
    check("messages_received >= 1_000", Metric::MessagesReceived, Op::Ge, 1000.0);
    check("messages_per_s > 900/s", Metric::MessagesPerS, Op::Gt, 900.0);
    check("sent_mbps >= 2.5 Mbps", Metric::SentMbps, Op::Ge, 2.5);
    check("remaining_bytes <= 16KiB", Metric::RemainingBytes, Op::Le, 16_384.0);
    check("allocated_bytes_per_message < 96.5", Metric::AllocatedBytesPerMessage, Op::Lt, 96.5);
    check("allocations_per_message <= 2.5", Metric::AllocationsPerMessage, Op::Le, 2.5);
}

#[test]
fn a_limit_in_another_unit_is_refused() {
    check_refusal(
        "errors <= 10ms",
        "errors is a share; write its limit as \"1%\", not as \"10ms\"",
    );
    check_refusal("latency_p99 < 5%", "latency_p99 is a time");
    check_refusal("latency_p99 < 5", "not as \"5\"");
    check_refusal("errors <= 1", "not as \"1\"");
    check_refusal("lost == 1%", "lost is a number");
    check_refusal("lost == inf", "lost is a number");
    check_refusal("lost == -1", "write a number of 0 or more");
    check_refusal("messages_per_s > 1Mbps", "messages_per_s is a rate");
    check_refusal("latency_p99 <", "not as \"\"");
}

#[test]
fn a_threshold_without_a_comparison_is_refused() {
    check_refusal("latency_p99", "write a threshold such as");
    check_refusal(
        "latency_p99 = 5ms",
        "\"= 5ms\" has no comparison; write latency_p99 = \"< 10ms\"",
    );
}

#[test]
fn an_unknown_metric_names_the_nearest() {
    check_refusal(
        "latncy_p99 < 5ms",
        "unknown metric \"latncy_p99\"; did you mean \"latency_p99\"?",
    );
    check_refusal("p99_latency < 5ms", "did you mean \"latency_p99\"?");
    check_refusal("error_rate < 5%", "did you mean \"error");
    check_refusal("zzz < 5ms", "unknown metric \"zzz\"; ws-load profiles --metrics lists them");
}

#[test]
fn every_metric_has_a_unique_name_that_is_parsed() {
    let names: std::collections::BTreeSet<String> = Metric::all().map(Metric::name).collect();
    assert_eq!(names.len(), Metric::all().count());
    assert_eq!(names.len(), 9 * 8 + 6 + 21);
    for metric in Metric::all() {
        assert_eq!(metric.name().parse::<Metric>().expect("its own name"), metric);
        assert!(!metric.meaning().is_empty());
        let example = metric.unit().example();
        Threshold::parse(metric, &format!("< {example}")).expect("its own example");
    }
}

#[test]
fn presets_have_the_documented_limits() {
    check_table(
        "preset = 'enterprise'",
        &[
            "latency_mean < 10ms",
            "latency_p99 < 10ms",
            "errors <= 1%",
            "remaining_allocations == 0",
        ],
    );
    check_table(
        "preset = 'development'",
        &["latency_mean < 50ms", "latency_p99 < 50ms", "errors <= 5%"],
    );
}

#[test]
fn an_explicit_limit_overrides_a_preset() {
    let table = "latency_p99 = '< 5ms'\npreset = 'development'\nlost = '== 0'";
    check_table(table, &["latency_mean < 50ms", "latency_p99 < 5ms", "errors <= 5%", "lost == 0"]);
    let presets = |of: &Threshold| of.preset.is_some();
    let of_preset: Vec<bool> = form(table).expect(table).iter().map(presets).collect();
    assert_eq!(of_preset, [true, false, true, false]);
}

#[test]
fn the_command_line_overrides_a_profile() {
    let profile = form("preset = 'development'\nlatency_p99 = '< 5ms'").expect("a table");
    let own: Threshold = "latency_p99 < 100ms".parse().expect("a threshold");
    let all: Vec<String> = overridden(&profile, &[own]).iter().map(ToString::to_string).collect();
    assert_eq!(all, ["latency_mean < 50ms", "latency_p99 < 100ms", "errors <= 5%"]);
}

#[test]
fn a_metric_can_have_several_limits() {
    check_table(
        "messages_per_s = ['>= 900', '<= 1100/s']",
        &["messages_per_s >= 900/s", "messages_per_s <= 1100/s"],
    );
}

#[test]
fn an_error_in_a_table_has_a_message_and_a_place() {
    for (table, words) in [
        ("latncy_p99 = '< 5ms'", "did you mean \"latency_p99\"?"),
        ("perset = 'enterprise'", "unknown key \"perset\"; did you mean \"preset\"?"),
        ("preset = 'enterprize'", "unknown preset \"enterprize\"; did you mean \"enterprise\"?"),
        ("preset = 'none'", "known presets are enterprise and development"),
        ("latency_p99 = 5", "a condition such as latency_p99 = \"< 10ms\""),
        ("latency_p99 = []", "a condition such as"),
        ("errors = '<= 10ms'", "errors is a share"),
        ("errors = ['<= 1%', '5']", "has no comparison"),
    ] {
        let error = form(table).expect_err(table);
        assert!(error.message().contains(words), "{:?} does not say {words:?}", error.message());
        assert!(error.span().is_some_and(|span| span.start >= "[thresholds]\n".len()), "{table}");
    }
}

#[test]
fn a_margin_is_the_remaining_share_of_the_limit() {
    let margin = |text: &str, measured| text.parse::<Threshold>().expect(text).margin(measured);
    assert_eq!(margin("error_count < 10", 4.0), Some(0.6));
    assert_eq!(margin("error_count <= 10", 15.0), Some(-0.5));
    assert_eq!(margin("messages_sent >= 100", 150.0), Some(0.5));
    assert_eq!(margin("messages_sent > 100", 50.0), Some(-0.5));
    assert_eq!(margin("messages_sent == 100", 50.0), Some(-0.5));
    assert_eq!(margin("lost == 0", 0.0), None);
}

fn any_threshold() -> impl Strategy<Value = Threshold> {
    let metrics: Vec<Metric> = Metric::all().collect();
    let limit = (0..2_000_000_u32, 0..4_u32);
    (proptest::sample::select(metrics), proptest::sample::select(Op::ALL.to_vec()), limit).prop_map(
        |(metric, op, (number, scale))| {
            let number = f64::from(number);
            // Times are whole nanoseconds.
            let limit = match metric.unit() {
                Unit::Time => number * 10_f64.powi(scale as i32),
                _ => number / 10_f64.powi(scale as i32),
            };
            Threshold::new(metric, op, limit)
        },
    )
}

fn any_preset() -> impl Strategy<Value = Option<Preset>> {
    proptest::option::of(proptest::sample::select(Preset::ALL.to_vec()))
}

proptest! {
    #[test]
    fn every_threshold_survives_writing_and_reading(threshold in any_threshold()) {
        let read: Threshold = threshold.to_string().parse().expect("written here");
        prop_assert_eq!(read, threshold, "{}", threshold);
    }

    #[test]
    fn every_table_survives_writing_and_reading(
        preset in any_preset(),
        explicit in proptest::collection::vec(any_threshold(), 0..8),
    ) {
        let of_preset = preset.map_or_else(Vec::new, Preset::thresholds);
        let form = Form { thresholds: overridden(&of_preset, &explicit) };
        let toml = toml::to_string(&form).expect("plain values");
        prop_assert_eq!(&toml::from_str::<Form>(&toml).expect("written here"), &form, "{}", toml);
        let json = serde_json::to_string(&form).expect("plain values");
        prop_assert_eq!(&serde_json::from_str::<Form>(&json).expect("written here"), &form);
    }

    #[test]
    fn a_margin_is_negative_exactly_where_a_limit_is_violated(
        threshold in any_threshold(),
        measured in 0.0..3e6_f64,
    ) {
        if let Some(margin) = threshold.margin(measured) {
            let met = threshold.is_met(measured);
            prop_assert!(if met { margin >= 0.0 } else { margin <= 0.0 }, "{} {}", threshold, margin);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,20}|(errors|lost|latency_p99|sent_mbps) ?[<>=]{1,2} ?[0-9._%a-zB/-]{0,8}") {
        let _ = text.parse::<Threshold>();
    }
}
