use super::{LEAST, check_amended, check_refusal};
use crate::metrics::Timing;
use crate::profile::{Mode, Profile, Traffic};
use std::time::Duration;

#[test]
fn a_minimal_profile_has_defaults() {
    let profile = Profile::parse(LEAST, "my.toml").expect(LEAST);
    assert_eq!(profile.stages[0].name, "stage 1");
    assert_eq!(profile.traffic, Traffic::default());
    assert_eq!(profile.target.mode, Mode::Echo);
    assert_eq!(profile.judged(0), Some(Timing::RttIntended));
    assert_eq!(profile.duration(), Duration::from_secs(10));
}

#[test]
fn an_unknown_key_is_reported_with_its_line_and_the_nearest_key() {
    check_refusal(
        "name = 'a'\n\n[traffic]\nseed = 1\n\n[[stage]]\nconections = 10\n",
        "unknown key \"conections\" in line 7; did you mean \"connections\"?",
    );
    check_refusal("nmae = 'a'\n", "unknown key \"nmae\" in line 1; did you mean \"name\"?");
    check_refusal(
        "name = 'a'\nzzz = 1\n",
        "unknown key \"zzz\" in line 2; known here: name, description, percentiles, target",
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
fn an_unknown_choice_is_reported_with_its_line_and_the_nearest_choice() {
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
fn a_missing_or_mistyped_value_is_named() {
    check_refusal("[[stage]]\nconnections = 1\nhold = '1s'", "\"name\" is missing");
    check_refusal("name = 'a'\n[[stage]]\nhold = '1s'", "\"connections\" is missing");
    check_refusal(
        "name = 'a'\n[[stage]]\nconnections = 'ten'",
        "line 3: connections: invalid type",
    );
    check_refusal(
        "name = 'a'\n[[stage]]\nconnections = 1\nhold = 10",
        "line 4: hold: 10 has no unit; write \"10s\"",
    );
    check_refusal("name = 'a'\nname = 'b'", "line 2: duplicate key");
    check_refusal("name = ", "line 1: ");
    check_refusal("name = 'a'\n[stage]\nconnections = 1", "with two brackets, such as [[stage]]");
    check_amended("[traffic]\npace = { open = 5 }", "", "expected { open = { rate = 10 } }");
    check_amended("[traffic]\npace = {}", "", "expected exactly one key here");
}

#[test]
fn a_wrong_threshold_is_reported_with_its_line() {
    check_amended(
        "[thresholds]\nlatncy_p99 = '< 5ms'",
        "",
        "line 3: unknown metric \"latncy_p99\"; did you mean \"latency_p99\"?",
    );
    check_amended("", "[stage.thresholds]\nerrors = '< 5ms'", "line 7: errors is a share");
    check_amended("thresholds = ['latency_p99 < 5ms']", "", "a table of limits");
}
