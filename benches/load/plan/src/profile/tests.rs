use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::metrics::Timing;
use crate::thresholds::{Metric, Op, Preset, Statistic, overridden};

/// The least that is a profile.
const LEAST: &str = "name = 'least'\n[[stage]]\nconnections = 10\nhold = '10s'\n";

fn refusal(toml: &str) -> String {
    format!("{:#}", Profile::parse(toml, "my.toml").expect_err(toml))
}

#[track_caller]
fn check_refusal(toml: &str, words: &str) {
    let error = refusal(toml);
    assert!(error.starts_with("my.toml: "), "{error:?}");
    assert!(error.contains(words), "{error:?} does not say {words:?}");
    assert!(!error.contains('\n') && !error.contains('`'), "{error:?}");
}

/// [`LEAST`] with `head` before its stage and `stage` within it.
#[track_caller]
fn check_amended(head: &str, stage: &str, words: &str) {
    check_refusal(
        &format!("name = 'least'\n{head}\n[[stage]]\nconnections = 10\nhold = '10s'\n{stage}"),
        words,
    );
}

#[test]
fn the_least_profile_has_sensible_defaults() {
    let profile = Profile::parse(LEAST, "my.toml").expect(LEAST);
    assert_eq!(profile.stages[0].name, "stage 1");
    assert_eq!(profile.traffic, Traffic::default());
    assert_eq!(profile.target.mode, Mode::Echo);
    assert_eq!(profile.judged(0), Some(Timing::RttIntended));
    assert_eq!(profile.duration(), Duration::from_secs(10));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest() {
    check_refusal(
        "name = 'a'\n\n[traffic]\nseed = 1\n\n[[stage]]\nconections = 10\n",
        "unknown key \"conections\" in line 7; did you mean \"connections\"?",
    );
    check_refusal("nmae = 'a'\n", "unknown key \"nmae\" in line 1; did you mean \"name\"?");
    check_refusal(
        "name = 'a'\nzzz = 1\n",
        "unknown key \"zzz\" in line 2; known here: name, description, target",
    );
    check_amended(
        "[traffic]\nsizes = [{ byts = 64 }]",
        "",
        "unknown key \"byts\" in line 3; did you mean \"bytes\"?",
    );
    check_amended(
        "[conduct.strom]\nevery = '5s'",
        "",
        "unknown key \"strom\" in line 2; did you mean \"storm\"?",
    );
    check_amended(
        "",
        "[stage.threshold]\n",
        "unknown key \"threshold\" in line 6; did you mean \"thresholds\"?",
    );
}

#[test]
fn an_unknown_key_or_word_of_a_choice_is_named_too() {
    check_amended(
        "[traffic]\npace = { open = { rat = 5 } }",
        "",
        "unknown key \"rat\" in line 3; did you mean \"rate\"?",
    );
    check_amended(
        "[traffic]\npace = 'idel'",
        "",
        "unknown word \"idel\" in line 3; did you mean \"idle\"?",
    );
    check_amended(
        "[traffic]\nkind = 'tetx'",
        "",
        "unknown word \"tetx\" in line 3; did you mean \"text\"?",
    );
    check_amended(
        "[traffic.pace.opne]\nrate = 5",
        "",
        "unknown word \"opne\" in line 2; did you mean \"open\"?",
    );
    check_amended(
        "[conduct.hostile]\nrate = 1\nkinds = ['unmaskd']",
        "",
        "unknown word \"unmaskd\" in line 4; did you mean \"unmasked\"?",
    );
}

#[test]
fn what_is_missing_or_of_the_wrong_kind_is_named() {
    check_refusal("[[stage]]\nconnections = 1\nhold = '1s'", "\"name\" is missing");
    check_refusal("name = 'a'\n[[stage]]\nhold = '1s'", "\"connections\" is missing");
    check_refusal("name = 'a'\n[[stage]]\nconnections = 'ten'", "line 3: invalid type");
    check_refusal(
        "name = 'a'\n[[stage]]\nconnections = 1\nhold = 10",
        "line 4: 10 has no unit; write \"10s\"",
    );
    check_refusal("name = 'a'\nname = 'b'", "line 2: duplicate key");
    check_refusal("name = ", "line 1: ");
    check_refusal("name = 'a'\n[stage]\nconnections = 1", "has two brackets, such as [[stage]]");
    check_amended("[traffic]\npace = { open = 5 }", "", "expected { open = { rate = 10 } }");
    check_amended("[traffic]\npace = {}", "", "one of several is wanted here");
}

#[test]
fn thresholds_are_checked_where_they_stand() {
    check_amended(
        "[thresholds]\nlatncy_p99 = '< 5ms'",
        "",
        "line 3: unknown metric \"latncy_p99\"; did you mean \"latency_p99\"?",
    );
    check_amended("", "[stage.thresholds]\nerrors = '< 5ms'", "line 7: errors is a share");
    check_amended("thresholds = ['latency_p99 < 5ms']", "", "a table of limits");
}

#[test]
fn what_makes_no_sense_is_refused_by_its_key() {
    check_refusal("name = 'a'", "there is no [[stage]]");
    check_refusal("name = ' '\n[[stage]]\nconnections = 1\nhold = '1s'", "name is empty");
    check_refusal("name = 'a'\n[[stage]]\nconnections = 1", "nothing would be measured");
    check_refusal(
        "name = 'a'\n[[stage]]\nconnections = 0\nhold = '1s'",
        "nothing would be measured",
    );
    check_amended(
        "",
        "[[stage]]\nname = 'stage 1'\nconnections = 1",
        "two stages are called \"stage 1\"",
    );
    for (traffic, words) in [
        ("sizes = []", "traffic.sizes is empty"),
        ("sizes = [{ bytes = 15 }]", "traffic.sizes has 15B; a message needs 16 B"),
        ("sizes = [{ bytes = '1KiB', share = 0 }]", "the share of 1KiB in traffic.sizes is 0"),
        ("sizes = [{ bytes = 64, share = inf }]", "the share of 64B in traffic.sizes is inf"),
        ("sizes = [{ bytes = 64, share = 1e300 }]", "write a number above 0, such as 1"),
        ("sizes = [{ bytes = '1GiB' }]", "traffic.sizes has 1GiB; write 64MiB or less"),
        ("fragments = 0", "traffic.fragments is 0; write 1 to 1024"),
        ("fragments = 1025\nsizes = [{ bytes = '1MiB' }]", "write 1 to 1024"),
        ("fragments = 65", "the smallest message has 64 B"),
        ("timeout = '0s'", "every answer would be late"),
        ("timeout = '9000h'", "traffic.timeout is 9000h; write a year or less"),
        ("ping = '0s'", "traffic.ping is 0s"),
        ("pace = { open = { rate = 0 } }", "traffic.pace: rate is 0"),
        ("pace = { open = { rate = -1.5 } }", "rate is -1.5"),
        ("pace = { open = { rate = nan } }", "rate is NaN"),
        ("pace = { open = { rate = 1e300 } }", "up to 1000000 on each connection"),
        ("pace = { closed = { depth = 0 } }", "depth is 0"),
    ] {
        check_amended(&format!("[traffic]\n{traffic}"), "", words);
    }
    check_amended("", "ramp = '9000h'", "ramp of stage \"stage 1\" is 9000h; write a year or less");
    check_amended("", "pace = { open = { rate = inf } }", "pace of stage \"stage 1\": rate is inf");
    for (conduct, words) in [
        ("lifetime = '0s'", "conduct.lifetime is 0s"),
        ("storm = { every = '0s', jitter = '0s' }", "conduct.storm.every is 0s"),
        ("storm = { every = '5s', jitter = '5s' }", "conduct.storm.jitter is 5s and every is 5s"),
        ("slow_readers = { connections = 0, bytes_per_s = 0 }", "slow_readers.connections is 0"),
        ("hostile = { rate = 0 }", "conduct.hostile.rate is 0"),
        ("hostile = { rate = 1e9 }", "up to 1000000"),
    ] {
        check_amended(&format!("[conduct]\n{conduct}"), "", words);
    }
}

#[test]
fn a_secret_header_is_not_for_others_to_read() {
    let toml = format!("{LEAST}[target.headers]\nAuthorization = 'Basic x'\nX-Tenant = 'harbour'");
    let public = Profile::parse(&toml, "my.toml").expect(&toml).public();
    let values: Vec<_> = public.target.headers.values().map(String::as_str).collect();
    assert_eq!(values, ["(secret)", "harbour"]);
    public.check().expect("it can be run again, with another secret");
}

#[test]
fn a_target_that_cannot_be_spoken_to_is_refused() {
    for (target, words) in [
        ("url = 'http://127.0.0.1'", "target.url: \"http://127.0.0.1\" is no URL of a WebSocket"),
        ("subprotocol = 'a, b'", "allows one word"),
        ("origin = \"a\\nb\"", "no header's value"),
        ("bearer_file = 'a'\nbearer_env = 'B'", "both bearer_file and bearer_env"),
        ("headers = { 'a b' = 'c' }", "\"a b\", which is no header's name"),
        ("headers = { a = \"b\\r\\nc\" }", "target.headers.a is"),
        (
            "headers = { Sec-WebSocket-Key = 'a' }",
            "cannot have sec-websocket-key: the handshake writes it",
        ),
        ("headers = { Origin = 'a' }", "cannot have origin: write target.origin"),
        (
            "mode = { request = { send = 'a', reply = '{seq}' } }",
            "target.mode.request.send has no {seq}",
        ),
        (
            "mode = { request = { send = '{seq}', reply = 'a' } }",
            "target.mode.request.reply has no {seq}",
        ),
        (
            "mode = { subscribe = { sequence = 'seq' } }",
            "no JSON pointer; write one such as \"/sequence\"",
        ),
    ] {
        check_amended(&format!("[target]\n{target}"), "", words);
    }
}

#[test]
fn a_limit_that_can_have_no_samples_is_refused() {
    let subscribe = "[target]\nmode = { subscribe = {} }\n[thresholds]\n";
    let idle = "[traffic]\npace = 'idle'\n[thresholds]\n";
    let closed = "[traffic]\npace = { closed = { depth = 1 } }\n[thresholds]\n";
    for (head, words) in [
        (
            format!("{subscribe}latency_p99 = '< 5ms'"),
            "latency_p99 could have no samples, which is no pass: a subscription",
        ),
        (
            format!("{subscribe}preset = 'development'"),
            "latency_mean of preset development could have no samples",
        ),
        (format!("{subscribe}lost = '== 0'"), "a subscription sends nothing"),
        (format!("{subscribe}missed_updates = '== 0'"), "no target.mode.subscribe.sequence"),
        (format!("{subscribe}staleness_p99 = '< 1s'"), "no target.mode.subscribe.time_ms"),
        (format!("{idle}latency_p99 = '< 5ms'"), "every pace is idle"),
        (format!("{idle}lost = '== 0'"), "every pace is idle"),
        (format!("{closed}rtt_intended_p99 = '< 5ms'"), "no pace is open"),
        (format!("{closed}achieved_rate = '>= 95%'"), "no pace is open"),
        ("[thresholds]\ngap_p99 = '< 1s'".to_owned(), "only target.mode.subscribe has it"),
        ("[thresholds]\npings_lost = '== 0'".to_owned(), "no traffic.ping"),
        ("[thresholds]\nprovoked_badly = '== 0'".to_owned(), "neither conduct.hostile nor"),
    ] {
        check_amended(&head, "", words);
    }
    check_amended(
        "",
        "[stage.thresholds]\nremaining_allocations = '== 0'",
        "move it to [thresholds]",
    );
    check_amended(
        "",
        "[[stage]]\nconnections = 0\nthresholds = { latency_p99 = '< 5ms' }",
        "the stage is not held",
    );
    let fine = format!(
        "name = 'a'\n{subscribe}gap_p99 = '< 1s'\nerrors = '<= 1%'\n[[stage]]\nconnections = 1\nhold = '1s'"
    );
    Profile::parse(&fine, "my.toml").expect("a gap has samples");
}

#[test]
fn a_scaled_profile_takes_its_share_of_the_time() {
    let toml = "name = 'a'\n[traffic]\nwarm_up = '2s'\n[[stage]]\nconnections = 10\nramp = '5s'\nhold = '10s'\n\
        [[stage]]\nconnections = 0\nramp = '5s'";
    let profile = Profile::parse(toml, "my.toml").expect(toml);
    assert_eq!(profile.duration(), Duration::from_secs(22));
    let scaled = profile.scaled(0.1).expect("a tenth");
    assert_eq!(scaled.duration(), Duration::from_millis(2200));
    assert_eq!(
        (scaled.stages[0].connections, scaled.traffic.timeout),
        (10, Duration::from_secs(5))
    );
    for factor in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
        assert!(profile.scaled(factor).is_err(), "{factor}");
    }
    let error = format!("{:#}", profile.scaled(0.0).expect_err("nothing is left"));
    assert!(error.contains("scaled by 0: no stage holds any connections"), "{error}");
}

#[test]
fn a_stage_may_have_another_pace() {
    let toml = format!(
        "{LEAST}[[stage]]\nconnections = 1\nhold = '1s'\npace = {{ closed = {{ depth = 4 }} }}"
    );
    let profile = Profile::parse(&toml, "my.toml").expect(&toml);
    assert!(profile.is_open_loop(0) && !profile.is_open_loop(1));
    assert_eq!(profile.judged(1), Some(Timing::RttService));
}

#[test]
fn every_built_in_profile_is_good_and_is_called_by_its_name() {
    for builtin in Profile::BUILTIN {
        let profile = Profile::parse(builtin.toml, builtin.name).expect(builtin.name);
        assert_eq!(profile.name, builtin.name);
        assert!(
            !profile.description.is_empty() && profile.target.url.is_none(),
            "{}",
            builtin.name
        );
        assert!(!profile.thresholds.is_empty(), "{} could not pass", builtin.name);
        assert_eq!(Profile::load(builtin.name).expect(builtin.name), profile);
        profile.scaled(0.1).expect("a tenth of it makes sense");
    }
}

#[test]
fn the_built_in_profiles_are_what_they_promise() {
    let profile = |name: &str| Profile::builtin(name).expect(name);
    assert_eq!(profile("smoke").duration(), Duration::from_secs(5));
    let enterprise = profile("enterprise");
    let held: Vec<u32> = enterprise.stages.iter().map(|stage| stage.connections).collect();
    assert_eq!(held, [10, 50, 100, 100]);
    assert_eq!(enterprise.stages[3].hold, Duration::from_secs(60));
    let preset = Preset::Enterprise.thresholds();
    assert!(preset.iter().all(|limit| enterprise.thresholds.contains(limit)));
    for builtin in Profile::BUILTIN {
        let limits = profile(builtin.name).thresholds;
        let allows = |name: &str| limits.iter().all(|limit| limit.metric.name() != name);
        let none = limits.iter().any(|limit| limit.metric == Metric::Errors && limit.limit == 0.0);
        assert!(none || !allows("wrong_answers"), "{} lets a wrong answer pass", builtin.name);
    }
    assert_eq!(profile("sustained").stages[0].hold, Duration::from_secs(600));
    assert_eq!(profile("idle").stages[0].connections, 1000);
}

#[test]
fn a_profile_is_found_by_its_name_or_its_path() {
    let error = |name: &str| format!("{:#}", Profile::load(name).expect_err(name));
    let unknown = error("enterprize");
    assert!(
        unknown.contains("unknown profile \"enterprize\"; did you mean \"enterprise\"?"),
        "{unknown}"
    );
    assert!(unknown.contains("smoke, development, enterprise"), "{unknown}");
    assert!(unknown.contains("./enterprize.toml"), "{unknown}");
    assert!(error("nothing").starts_with("unknown profile \"nothing\" (there are smoke, "));
    assert!(error("nowhere.toml").contains("cannot read the profile nowhere.toml"));
    assert!(error("./smoke").contains("cannot read the profile ./smoke"));
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("mine.toml");
    std::fs::write(&path, LEAST).expect("a file");
    let path = path.to_str().expect("UTF-8");
    assert_eq!(Profile::load(path).expect(path).name, "least");
}

fn time(most_ms: u64) -> impl Strategy<Value = Duration> {
    (1..most_ms).prop_map(Duration::from_millis)
}

/// Above 0, and short enough for serde_json, which is an ulp off at longer ones.
fn decimal() -> impl Strategy<Value = f64> {
    (1..1_000_000_000_u32).prop_map(|thousandths| f64::from(thousandths) / 1000.0)
}

fn pace() -> impl Strategy<Value = Pace> {
    prop_oneof![
        (decimal(), prop_oneof![Just(Arrival::Constant), Just(Arrival::Poisson)])
            .prop_map(|(rate, arrival)| Pace::Open { rate, arrival }),
        (1..=u32::MAX).prop_map(|depth| Pace::Closed { depth }),
    ]
}

fn mode() -> impl Strategy<Value = Mode> {
    let template = "\\PC{0,8}\\{seq\\}\\PC{0,8}";
    prop_oneof![
        Just(Mode::Echo),
        (template, template).prop_map(|(send, reply)| Mode::Request { send, reply }),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    (
        option::of("wss?://[a-z]{1,9}"),
        mode(),
        option::of("[a-z.]{1,9}"),
        option::of("https://[a-z]{1,9}"),
        btree_map("x-[a-zA-Z0-9-]{1,9}", "[!-~]{0,9}", 0..3),
        option::of("\\PC{1,9}"),
    )
        .prop_map(|(url, mode, subprotocol, origin, headers, bearer_file)| Target {
            url,
            mode,
            subprotocol,
            origin,
            headers,
            bearer_file,
            bearer_env: None,
        })
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let size = (16..1_usize << 20, decimal()).prop_map(|(bytes, share)| Size { bytes, share });
    (
        pace(),
        vec(size, 1..4),
        prop_oneof![Just(Kind::Text), Just(Kind::Binary)],
        1..=16_u32,
        time(60_000),
        time(60_000),
        option::of(time(60_000)),
        any::<u64>(),
    )
        .prop_map(|(pace, sizes, kind, fragments, timeout, warm_up, ping, seed)| Traffic {
            pace,
            sizes,
            kind,
            fragments,
            timeout,
            warm_up,
            ping,
            seed,
        })
}

fn conduct() -> impl Strategy<Value = Conduct> {
    let storm = (time(1000), time(60_000))
        .prop_map(|(jitter, rest)| Storm { every: jitter + rest, jitter });
    let slow_readers = (1..=u32::MAX, any::<u32>())
        .prop_map(|(connections, bytes)| SlowReaders { connections, bytes_per_s: bytes as usize });
    let hostile = (decimal(), subsequence(Provocation::ALL.to_vec(), 0..=11))
        .prop_map(|(rate, kinds)| Hostile { rate, kinds });
    (option::of(time(60_000)), option::of(storm), option::of(slow_readers), option::of(hostile))
        .prop_map(|(lifetime, storm, slow_readers, hostile)| Conduct {
            lifetime,
            storm,
            slow_readers,
            hostile,
        })
}

fn thresholds() -> impl Strategy<Value = Vec<Threshold>> {
    let metrics = [Metric::Errors, Metric::Latency(Statistic::P99), Metric::MessagesReceived];
    let limit = (select(metrics.to_vec()), select(Op::ALL.to_vec()), 0..1000_u32);
    let limits = vec(
        limit.prop_map(|(metric, op, limit)| Threshold::new(metric, op, f64::from(limit))),
        0..4,
    );
    limits.prop_map(|explicit| overridden(&[], &explicit))
}

fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let stage = (1..10_000_u32, time(60_000), time(60_000), option::of(pace()), thresholds());
    vec(stage, 1..5).prop_map(|stages| {
        (1..)
            .zip(stages)
            .map(|(number, (connections, ramp, hold, pace, thresholds))| Stage {
                name: format!("stage {number}"),
                connections,
                ramp,
                hold,
                pace,
                thresholds,
            })
            .collect()
    })
}

fn any_profile() -> impl Strategy<Value = Profile> {
    let preset = option::of(select(Preset::ALL.to_vec()));
    ("[a-z]{1,9}", "\\PC{0,20}", target(), traffic(), conduct(), stages(), preset, thresholds())
        .prop_map(|(name, description, target, traffic, conduct, stages, preset, own)| Profile {
            name,
            description,
            target,
            traffic,
            conduct,
            stages,
            thresholds: overridden(&preset.map_or_else(Vec::new, Preset::thresholds), &own),
        })
}

proptest! {
    #[test]
    fn every_profile_is_read_as_it_was_written(profile in any_profile()) {
        let toml = profile.to_toml();
        let read = Profile::parse(&toml, "written").expect(&toml);
        prop_assert_eq!(&read, &profile, "{}", toml);
        let json = serde_json::to_string(&profile).expect("plain values");
        prop_assert_eq!(&serde_json::from_str::<Profile>(&json).expect("written here"), &profile);
    }

    #[test]
    fn a_misspelt_key_is_always_named(at in 0..100_usize, letter in "[a-z]") {
        let toml = Profile::BUILTIN[0].toml;
        let keys: Vec<&str> = toml
            .lines()
            .filter_map(|line| line.split_once(" = ").map(|(key, _)| key))
            .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            .collect();
        let key = keys[at % keys.len()];
        let misspelt = format!("{key}{letter}q");
        let (before, after) = toml.split_once(&format!("\n{key} = ")).expect("it is there");
        let error = refusal(&format!("{before}\n{misspelt} = {after}"));
        let line = before.matches('\n').count() + 2;
        prop_assert!(error.contains(&format!("\"{misspelt}\"")), "{}", error);
        prop_assert!(error.contains(&format!("line {line}")), "{}, not line {}", error, line);
    }

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,60}") {
        let _ = Profile::parse(&text, "any");
    }
}
