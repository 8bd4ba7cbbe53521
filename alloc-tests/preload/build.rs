//! Compiles the library that is embedded, so that `cargo install` needs nothing else and no helper has to match a version.

use std::env;
use std::path::PathBuf;
use std::process::Command;

const SOURCE: &str = "src/interpose/lib.rs";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/interpose");
    println!("cargo::rustc-check-cfg=cfg(bare)");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let library = PathBuf::from(variable("OUT_DIR")).join("interpose.so");
    let target = variable("TARGET");
    // The allocator's entries that the library calls are those of glibc on Linux.
    if !target.contains("-linux-gnu") {
        std::fs::write(&library, b"").expect("OUT_DIR can be written");
        return;
    }
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--crate-name", "interpose", "--crate-type", "cdylib", "--edition", "2024"]);
    rustc.args(["--target", &target, "--cfg", "bare", "-O"]);
    // Linked as one unit, so that nothing of the standard library is left that the program would have to provide.
    rustc.args([
        "-C",
        "panic=abort",
        "-C",
        "strip=symbols",
        "-C",
        "lto",
        "-C",
        "link-arg=-Wl,-z,defs",
    ]);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={linker}"));
    }
    let status = rustc.arg("-o").arg(&library).arg(SOURCE).status().expect("rustc runs");
    assert!(status.success(), "rustc does not compile {SOURCE}; its errors are above");
}
