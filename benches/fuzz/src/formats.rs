//! Files that people and other processes write.

use std::fmt::Debug;

use ::baselines::{AllocBaseline, Pending, SuiteReport, ratios, sites};
use ::conversation::Conversation;
use ::conversation::frame::first_number;
use ::conversation::script::Script;
use benches::pairs;
use load_plan::profile::{Pace, Profile};

/// The recorded numbers and reports of a suite. The first byte says which of them.
///
/// # Panics
///
/// If a text that is read cannot be written so that it reads the same, or if an error would command a terminal.
pub fn baselines(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match kind % 5 {
        0 => round(text, AllocBaseline::parse, |baseline| baseline.render().expect("it was read")),
        1 => round(text, sites::parse, sites::render),
        2 => round(text, ratios::parse, |of| ratios::render(of).expect("it was read")),
        3 => round(text, SuiteReport::parse, SuiteReport::render),
        _ => pending(text),
    }
}

/// What is read is written as a text that reads the same, and is written the same.
fn round<T: Debug + PartialEq, E: Debug>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
    render: impl Fn(&T) -> String,
) {
    let Ok(value) = parse(text) else { return };
    let written = render(&value);
    let again = parse(&written).expect("what is written can be read");
    assert_eq!(again, value);
    assert_eq!(render(&again), written);
}

/// Numbers of another repository, whose texts are shown to a person.
fn pending(text: &str) {
    match Pending::parse(text) {
        Ok(Some(pending)) => drop(pending.changes()),
        Ok(None) => {}
        Err(reason) => assert!(!reason.contains(is_command), "{reason:?}"),
    }
}

/// Whether a terminal could do something else with it than to show it.
fn is_command(character: char) -> bool {
    character.is_control() && character != '\n'
}

/// The times of benchmarks, as a criterion target writes them.
///
/// # Panics
///
/// If a text that is read cannot be written so that it reads the same, or has a number that is no time.
pub fn criterion(data: &[u8]) {
    let Ok(pairs) = pairs::parse(data) else { return };
    assert!(pairs.values().all(|pair| pair.is_valid()));
    let written = serde_json::to_vec(&pairs).expect("every key is text");
    assert_eq!(pairs::parse(&written).expect("what is written can be read"), pairs);
}

/// A load profile.
///
/// # Panics
///
/// If a profile that is accepted has no length, cannot be reported, or cannot be read back from a report.
pub fn profile(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let profile = match Profile::parse(text, "a file") {
        Ok(profile) => profile,
        Err(error) => return assert!(!format!("{error:#}").is_empty()),
    };
    assert!(profile.duration() >= profile.allowed_skew());
    for stage in 0..profile.stages.len() {
        let timed = profile.judged(stage).is_some();
        assert!(!timed || !matches!(profile.pace(stage), Pace::Idle), "idle, and yet timed");
    }
    for factor in [0.001, 0.5, 1.0, 1e9] {
        if let Ok(scaled) = profile.scaled(factor) {
            assert_eq!(scaled.stages.len(), profile.stages.len());
        }
    }
    let written = serde_json::to_string(&profile.public()).expect("a profile is plain data");
    let again: Profile = serde_json::from_str(&written).expect("what is written can be read");
    assert_eq!(again, profile.public());
}

/// A conversation.
///
/// # Panics
///
/// If a conversation that is accepted cannot be read back from a report, or cannot be held.
pub fn conversation(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let conversation = match Conversation::parse(text, "a file") {
        Ok(conversation) => conversation,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let written = serde_json::to_string(&conversation).expect("a conversation is plain data");
    let again: Conversation = serde_json::from_str(&written).expect("what is written can be read");
    assert_eq!(again, conversation);
    let mut script = Script::new(&conversation);
    for line in script.open.iter_mut().chain(&mut script.exchanges) {
        if let Some(frame) = &mut line.send {
            frame.set_number(first_number(1));
            assert!(frame.bytes().len() >= 6, "a masked frame is at least six bytes long");
        }
    }
}
