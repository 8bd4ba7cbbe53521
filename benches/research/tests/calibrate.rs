//! The program itself: what it refuses.

use std::process::Command;

#[test]
fn a_measurement_of_nothing_is_a_usage_error() {
    for words in [["load", "--turns", "0"], ["audience", "--subscribers", "0"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_calibrate")).args(words).output();
        let output = output.expect("calibrate starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("--turns"), "{said}");
    }
}
