//! The name of this machine's processor. Ratios of code to system calls differ between processors.

use std::fs;

use crate::cores;

/// The model as Linux names it, or else the architecture.
#[must_use]
pub fn name() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    model(&text).unwrap_or(std::env::consts::ARCH).to_owned()
}

/// `AMD EPYC 7B13, 2 processors, Linux 6.1.0`: the processors are those that this process may run on.
#[must_use]
pub fn describe() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // It fails only where nothing is known of this thread.
    let processors = cores::allowed().map_or(0, |all| all.len());
    let plural = if processors == 1 { "" } else { "s" };
    format!("{}, {processors} processor{plural}, Linux {}", name(), release.trim())
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
        assert!(describe().starts_with(&name()) && describe().contains(" processor"));
    }
}
