use std::time::Duration;

use conversation::{Conversation, Expect, Step};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::refusal;
use crate::profile::*;
use crate::thresholds::{Metric, Op, Preset, Statistic, overridden};

fn time(most_ms: u64) -> impl Strategy<Value = Duration> {
    (1..most_ms).prop_map(Duration::from_millis)
}

/// A positive number with few digits: serde_json reads longer ones with a rounding error.
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
        conversation().prop_map(|conversation| Mode::Conversation(Talk::Held(conversation))),
    ]
}

fn conversation() -> impl Strategy<Value = Conversation> {
    let expect = prop_oneof![
        (1..9_usize).prop_map(|frames| Expect { frames: Some(frames), ..Expect::default() }),
        "[a-z]{0,9}".prop_map(|text| Expect { exact: Some(text), ..Expect::default() }),
        "[a-z]{1,9}\\{seq\\}".prop_map(|text| Expect { contains: Some(text), ..Expect::default() }),
    ];
    let step = ("[a-z]{0,9}\\{seq\\}", option::of(expect), any::<bool>());
    let step = step.prop_map(|(send, expect, binary)| Step { send: Some(send), expect, binary });
    let steps = (vec(step.clone(), 0..3), vec(step, 1..3), option::of("/[a-z]{0,9}"));
    steps.prop_map(|(open, exchanges, path)| Conversation {
        path,
        open,
        exchanges,
        ..Conversation::echo(0, false)
    })
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
    let percentiles = subsequence(vec![0.5, 50.0, 97.5, 99.0, 99.9, 99.9999], 0..=6);
    let words = ("[a-z]{1,9}", "\\PC{0,20}", percentiles);
    (words, target(), traffic(), conduct(), stages(), preset, thresholds()).prop_map(
        |((name, description, percentiles), target, traffic, conduct, stages, preset, own)| {
            Profile {
                // A conversation says itself what is binary.
                traffic: match target.mode {
                    Mode::Conversation(_) => Traffic { kind: Kind::Text, ..traffic },
                    _ => traffic,
                },
                name,
                description,
                percentiles,
                target,
                conduct,
                stages,
                thresholds: overridden(&preset.map_or_else(Vec::new, Preset::thresholds), &own),
            }
        },
    )
}

proptest! {
    #[test]
    fn every_profile_survives_writing_and_reading(profile in any_profile()) {
        let toml = toml::to_string(&profile).expect("plain values");
        let read = Profile::parse(&toml, "written").expect(&toml);
        prop_assert_eq!(&read, &profile, "{}", toml);
        let json = serde_json::to_string(&profile).expect("plain values");
        prop_assert_eq!(&serde_json::from_str::<Profile>(&json).expect("written here"), &profile);
    }

    #[test]
    fn a_misspelt_key_is_always_reported_with_its_line(at in 0..100_usize, letter in "[a-z]") {
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
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = Profile::parse(&text, "any");
    }
}
