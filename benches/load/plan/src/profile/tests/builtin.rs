use std::time::Duration;

use super::LEAST;
use crate::profile::Profile;
use crate::thresholds::{Metric, Preset};

#[test]
fn every_built_in_profile_is_valid_and_named_after_its_file() {
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
fn built_in_profiles_have_the_documented_sizes_and_limits() {
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
fn a_profile_is_loaded_by_name_or_by_path() {
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
