//! The steps of a conversation, made ready for a driver.

use super::frame::Frame;
use super::pattern::{Pattern, Rule};
use super::{Conversation, Expect, SEQ, Step};

/// Longest part of a text that an error shows, in bytes.
const SHOWN: usize = 160;

/// A conversation with its messages encoded and its rules taken apart.
#[derive(Clone, Debug)]
pub struct Script {
    /// What each connection does once.
    pub open: Vec<Line>,
    /// One operation.
    pub exchanges: Vec<Line>,
}

/// A step.
#[derive(Clone, Debug)]
pub struct Line {
    /// `exchange 2`, for errors.
    pub name: String,
    /// What is sent.
    pub send: Option<Frame>,
    /// What must come back.
    pub answer: Option<Answer>,
}

/// What must come back: messages, the last of which fits the rule.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The number of messages.
    pub frames: usize,
    /// Whether they are binary.
    pub binary: bool,
    /// The rule for the last one.
    pub rule: Rule,
    /// The rule in words.
    words: String,
}

impl Script {
    /// The script of a checked conversation.
    #[must_use]
    pub fn new(conversation: &Conversation) -> Self {
        let open = conversation.open.iter().zip(1..);
        let exchanges = conversation.exchanges.iter().zip(1..);
        Self {
            open: open
                .map(|(step, nth)| Line::new(format!("open step {nth}"), step, step.expect.clone()))
                .collect(),
            exchanges: exchanges
                .map(|(step, nth)| {
                    let echo = || Expect { exact: step.send.clone(), ..Expect::default() };
                    let expect = step.expect.clone().unwrap_or_else(echo);
                    Line::new(format!("exchange {nth}"), step, Some(expect))
                })
                .collect(),
        }
    }
}

impl Line {
    fn new(name: String, step: &Step, expect: Option<Expect>) -> Self {
        let frame = |text: &String| Frame::new(step.binary, Pattern::new(text));
        Self {
            name,
            send: step.send.as_ref().map(frame),
            answer: expect.map(|expect| Answer::new(expect, step.binary)),
        }
    }
}

impl Answer {
    fn new(expect: Expect, binary: bool) -> Self {
        let kind = if binary { "a binary message" } else { "a text" };
        let (rule, words) = match expect {
            Expect { exact: Some(text), .. } => (Rule::Exact(Pattern::new(&text)), ("", text)),
            Expect { prefix: Some(text), .. } => {
                (Rule::Prefix(Pattern::new(&text)), (" that begins with", text))
            }
            Expect { contains: Some(text), .. } => {
                (Rule::Contains(Pattern::new(&text)), (" that contains", text))
            }
            _ => (Rule::Any, ("", String::new())),
        };
        let words = match rule {
            Rule::Any => kind.to_owned(),
            _ => format!("{kind}{} {}", words.0, shown(words.1.as_bytes())),
        };
        Self { frames: expect.frames.unwrap_or(1), binary, rule, words }
    }

    /// What is wanted from message `number`, in words: `a text that contains "id:7"`.
    #[must_use]
    pub fn wanted(&self, number: u64) -> String {
        self.words.replace(SEQ, &number.to_string())
    }
}

/// A text for an error: quoted, and cut.
#[must_use]
pub fn shown(text: &[u8]) -> String {
    let start = String::from_utf8_lossy(&text[..text.len().min(SHOWN)]);
    if text.len() > SHOWN {
        format!("{start:?}… ({} bytes)", text.len())
    } else {
        format!("{start:?}")
    }
}
