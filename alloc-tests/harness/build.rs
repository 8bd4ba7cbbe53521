//! Records the compiler, the target and the profile, which the counts depend on.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = env::var("RUSTC").expect("cargo sets it");
    let version =
        Command::new(rustc).arg("--version").output().expect("rustc runs: it compiled this");
    let version = String::from_utf8(version.stdout).expect("rustc prints UTF-8");
    println!("cargo::rustc-env=PLIMSOLL_RUSTC={}", version.trim().trim_start_matches("rustc "));
    println!("cargo::rustc-env=PLIMSOLL_TARGET={}", env::var("TARGET").expect("cargo sets it"));
    println!("cargo::rustc-env=PLIMSOLL_PROFILE={}", env::var("PROFILE").expect("cargo sets it"));
}
