use clap::Parser as _;
use load_plan::profile::Mode;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    quick: Quick,
}

fn profile(words: &[&str]) -> Result<Profile> {
    let line = Line::try_parse_from([&["ws-load"], words].concat()).expect("clap takes it");
    let url = url(&line.quick.words, &[])?;
    line.quick.profile(url)
}

#[track_caller]
fn refuses(words: &[&str], said: &str) {
    let error = profile(&[&["ws://host"], words].concat()).expect_err("it is refused");
    assert_eq!(format!("{error:#}"), said);
}

#[test]
fn flags_mean_what_a_profile_says() {
    let toml = r#"
        name = "quick"
        description = "50 connections, 20 messages/s in all, 0.4 on each, 64B, 10s"
        target = { url = "ws://host:1/ws" }
        traffic = { pace = { open = { rate = 0.4 } }, sizes = [{ bytes = "64B" }], warm_up = "500ms" }
        stage = [{ name = "hold", connections = 50, ramp = "1s", hold = "10s" }]
        thresholds = { latency_p99 = "< 50ms", errors = "<= 0%" }
    "#;
    let words = "ws://host:1/ws -c 50 -r 20 -d 10s -s 64B --threshold".split(' ');
    let words: Vec<&str> = words.chain(["latency_p99 < 50ms"]).collect();
    let written = Profile::parse(toml, "written").expect(toml);
    assert_eq!(profile(&words).expect("it is right"), written);
}

#[test]
fn a_load_without_flags_sends_ten_messages_per_second_on_each_of_ten_connections() {
    let profile = profile(&["ws://host"]).expect("it is right");
    let Profile { stages, target, traffic, .. } = &profile;
    assert_eq!((stages[0].connections, stages[0].hold), (10, Duration::from_secs(10)));
    assert_eq!((&target.mode, traffic.pace), (&Mode::Echo, Pace::default()));
    let limits: Vec<_> = profile.thresholds.iter().map(ToString::to_string).collect();
    assert_eq!(limits, ["latency_mean < 1s", "errors <= 0%"]);
}

#[test]
fn a_value_that_no_profile_may_have_is_refused_in_the_same_words_with_its_flag() {
    refuses(
        &["-s", "3B"],
        "-s 3B: traffic.sizes has 3B; write 16B or more, which the number of a message needs",
    );
    refuses(&["-d", "9000h"], "-d 9000h: hold of stage \"hold\" is 9000h; write a year or less");
    refuses(
        &["-r", "1e9", "-c", "2"],
        "-r 1000000000: traffic.pace: rate is 500000000.0; write a number of messages per second on each connection \
         above 0 and up to 1000000, or pace = \"idle\" to send none",
    );
}

#[test]
fn a_saved_profile_has_no_secret_and_replaces_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.toml").display().to_string();
    let secret = profile(&["ws://host", "--header", "Authorization: x"]).expect("it is right");
    let error = save(&secret, &file).expect_err("it is a secret");
    assert!(error.to_string().contains("--bearer-env"), "{error}");
    let plain = profile(&["ws://host"]).expect("it is right");
    save(&plain, &file).expect("there is no file yet");
    save(&plain, &file).expect("it is the same");
    let error = save(&profile(&["ws://host", "-c", "9"]).expect("it is right"), &file);
    let error = error.expect_err("another one is there");
    assert_eq!(error.to_string(), format!("--save {file}: another file is there; name a new one"));
}

proptest! {
    #[test]
    fn a_saved_profile_loads_as_the_load_that_was_meant(
        connections in 1..100_000_u32,
        rate in option::of(1e-3..1e5_f64),
        in_flight in option::of(1..1000_u32),
        times in (1..10_000_000_u64, 0..10_000_000_u64, 0..10_000_000_u64),
        size in 16..1_usize << 20,
        binary in any::<bool>(),
        limit in option::of(select(vec!["latency_p99 < 7ms", "connect_p99 < 2s", "errors <= 2%", "wrong_answers == 0"])),
    ) {
        let time = |us| exact_duration(Duration::from_micros(us));
        let mut words = vec!["ws://host:1/a?b=c".to_owned()];
        let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
        flag("-c", connections.to_string());
        flag("--duration", time(times.0));
        flag("--ramp", time(times.1));
        flag("--warm-up", time(times.2));
        flag("--size", exact_bytes(size));
        match (in_flight, rate) {
            (Some(depth), _) => flag("--in-flight", depth.to_string()),
            (None, Some(rate)) => flag("--rate", rate.to_string()),
            (None, None) => {}
        }
        if let Some(limit) = limit {
            flag("--threshold", limit.to_owned());
        }
        words.extend(binary.then(|| "--binary".to_owned()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let meant = profile(&words).expect("it is right");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("meant.toml").display().to_string();
        save(&meant, &file).expect("there is no file yet");
        prop_assert_eq!(Profile::load(&file).expect("it was written"), meant);
    }
}
