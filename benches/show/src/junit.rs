//! JUnit files, as CI systems show them.

use anyhow::Result;
use quick_junit::{NonSuccessKind, Report};
pub use quick_junit::{TestCase, TestCaseStatus, TestSuite};

/// The file of the program `name`.
///
/// # Errors
///
/// If a text cannot be written as XML.
pub fn render(name: &str, suites: impl IntoIterator<Item = TestSuite>) -> Result<String> {
    let mut report = Report::new(name);
    report.add_test_suites(suites);
    Ok(report.to_string()? + "\n")
}

/// A case of the class `class`, with what it prints; an empty `output` is left out.
#[must_use]
pub fn case(class: &str, name: &str, status: TestCaseStatus, output: &str) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(class);
    if !output.is_empty() {
        case.set_system_out(output);
    }
    case
}

/// `case` with the place of its fault, `src/echo.rs:119`: attributes that CI systems turn into a link.
#[must_use]
pub fn at(mut case: TestCase, place: &str) -> TestCase {
    let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
    case.extra.insert("file".into(), file.into());
    if !line.is_empty() {
        case.extra.insert("line".into(), line.into());
    }
    case
}

/// The subject of the case is at fault.
#[must_use]
pub fn failed(message: &str) -> TestCaseStatus {
    with(TestCaseStatus::non_success(NonSuccessKind::Failure), message)
}

/// The case could not be decided, which says nothing about its subject.
#[must_use]
pub fn errored(message: &str) -> TestCaseStatus {
    with(TestCaseStatus::non_success(NonSuccessKind::Error), message)
}

/// The case was left out.
#[must_use]
pub fn skipped(message: &str) -> TestCaseStatus {
    with(TestCaseStatus::skipped(), message)
}

fn with(mut status: TestCaseStatus, message: &str) -> TestCaseStatus {
    status.set_message(message);
    status
}
