use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The packages of a tree, as `cargo metadata` prints them.
#[derive(Deserialize)]
pub(super) struct Packages {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
    features: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Packages {
    pub(super) fn have(&self, package: &str, target: &str) -> bool {
        let targets = self.named(package).flat_map(|package| &package.targets);
        targets.into_iter().any(|known| known.name == target)
    }

    pub(super) fn have_feature(&self, package: &str, feature: &str) -> bool {
        self.named(package).any(|package| package.features.contains_key(feature))
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(move |package| package.name == name)
    }
}
