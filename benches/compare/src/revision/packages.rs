use serde_json::Value;

/// The packages of a tree, as `cargo metadata` prints them.
pub(super) struct Packages(pub(super) Value);

impl Packages {
    pub(super) fn have_target(&self, package: &str, target: &str) -> bool {
        let targets = self.named(package).filter_map(|package| package["targets"].as_array());
        targets.flatten().any(|known| known["name"] == target)
    }

    pub(super) fn have_feature(&self, package: &str, feature: &str) -> bool {
        self.named(package).any(|package| package["features"].get(feature).is_some())
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Value> {
        let packages = self.0["packages"].as_array().into_iter().flatten();
        packages.filter(move |package| package["name"] == name)
    }
}
