//! An open loop is judged by what its profile plans, and not by what its connections were there to send.

use std::time::Duration;

use load::validator::{Assessment, RunVerdict, validate};
use load_engine::testing::{Load, Peer};

use crate::profile::Profile;

/// An echo whose upgrades take `upgrade`, but for the first 12 connections: two of them come before the users.
fn opening_in(upgrade: Duration) -> Peer {
    Peer::echo().waiting(move |nth| if nth > 12 { upgrade } else { Duration::ZERO })
}

/// Ten connections that send ten messages a second each, for eight seconds.
fn judged(conduct: &str, thresholds: &str, upgrade: Duration) -> Assessment {
    let profile = Profile {
        pace: "{ open = { rate = 10 } }",
        traffic: &format!("[conduct]\n{conduct}"),
        connections: 10,
        hold: "8s",
        thresholds,
        ..Profile::default()
    };
    validate(&Load::new(&profile.to_string()).run(&opening_in(upgrade)).expect("the peer is there"))
}

const LIMITS: &str = "errors = \"<= 0%\"\nachieved_rate = \">= 99%\"\nlatency_p90 = \"< 500ms\"";

#[test]
fn slow_upgrades_under_churn_violate_a_limit_on_latency() {
    let churn = "lifetime = \"1s\"";
    let slow = judged(churn, LIMITS, Duration::from_secs(2));
    assert_eq!(slow.verdict, RunVerdict::Fail, "{slow:?}");
    assert!(slow.reasons.iter().any(|why| why.starts_with("latency_p90")), "{:?}", slow.reasons);
    let quick = judged(churn, LIMITS, Duration::from_millis(2));
    assert_eq!(quick.verdict, RunVerdict::Pass, "{:?}", quick.reasons);
}

#[test]
fn upgrades_that_never_come_violate_limits_on_latency_and_rate() {
    let none = judged("lifetime = \"2s\"", LIMITS, Duration::from_mins(5));
    let violated: Vec<_> = none.checks.iter().filter(|check| !check.met).collect();
    assert_eq!(violated.len(), 3, "{none:?}");
    let rate = none.checks.iter().find(|check| check.threshold.metric.name() == "achieved_rate");
    let rate = rate.and_then(|check| check.measured);
    assert!(rate.is_some_and(|rate| (0.24..0.27).contains(&rate)), "{rate:?}");
}

#[test]
fn a_storm_that_a_target_bears_well_meets_every_limit() {
    let storm = "storm = { every = \"3s\", jitter = \"2s\" }";
    let limits = &format!("{LIMITS}\nlatency_max = \"< 50ms\"");
    let quick = judged(storm, limits, Duration::from_millis(2));
    assert_eq!(quick.verdict, RunVerdict::Pass, "{:?}", quick.reasons);
    let slow = judged(storm, limits, Duration::from_secs(1));
    assert_eq!(slow.verdict, RunVerdict::Fail, "{slow:?}");
}
