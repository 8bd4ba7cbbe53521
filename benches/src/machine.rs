//! The name of this machine's processor. Ratios of code to system calls differ between processors.

use std::fs;

/// The model as Linux names it, or else the architecture.
#[must_use]
pub fn name() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    model(&text).unwrap_or(std::env::consts::ARCH).to_owned()
}

fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_the_first_processors() {
        assert_eq!(
            model("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"),
            Some("Some CPU @ 2 GHz")
        );
        assert_eq!(model("processor\t: 0\nCPU part\t: 0xd0c\n"), None);
        assert!(!name().is_empty());
    }
}
