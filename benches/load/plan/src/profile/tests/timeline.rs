use std::time::Duration;

use super::LEAST;
use crate::metrics::Timing;
use crate::profile::Profile;

#[test]
fn a_scaled_profile_scales_its_times_alone() {
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
fn a_stage_can_replace_the_pace() {
    let toml = format!(
        "{LEAST}[[stage]]\nconnections = 1\nhold = '1s'\npace = {{ closed = {{ depth = 4 }} }}"
    );
    let profile = Profile::parse(&toml, "my.toml").expect(&toml);
    assert!(profile.is_open_loop(0) && !profile.is_open_loop(1));
    assert_eq!(profile.judged(1), Some(Timing::RttService));
}
