//! One thing that a suite or a comparison needs.

use std::fmt::{self, Display};

/// What was found, and the cure if there is one.
#[derive(Debug)]
pub(super) struct Finding {
    state: State,
    subject: String,
    words: String,
    cure: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    /// Does without it, and says what is lost.
    Optional,
    Missing,
}

impl Finding {
    pub(super) fn ok(subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self { state: State::Ok, subject: subject.into(), words: words.into(), cure: None }
    }

    /// Something whose lack costs a part of the result.
    pub(super) fn optional(
        subject: impl Into<String>,
        words: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        let (subject, words) = (subject.into(), words.into());
        Self { state: State::Optional, subject, words, cure: Some(cure.into()) }
    }

    /// Something without which there is no verdict.
    pub(super) fn missing(
        subject: impl Into<String>,
        words: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        let (subject, words) = (subject.into(), words.into());
        Self { state: State::Missing, subject, words, cure: Some(cure.into()) }
    }

    pub(super) fn is_missing(&self) -> bool {
        self.state == State::Missing
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, subject, words, cure } = self;
        let state = match state {
            State::Ok => "ok",
            State::Optional => "optional",
            State::Missing => "missing",
        };
        write!(f, "{state:9}{subject:22}{words}")?;
        match cure {
            Some(cure) => write!(f, "\n{:31}→ {cure}", ""),
            None => Ok(()),
        }
    }
}
