//! Texts with `{seq}` in them: to be sent, and to be found in answers.

use std::io::Write as _;

use super::SEQ;

/// Digits of a number in a message.
pub const DIGITS: usize = 10;

/// A text with any number of `{seq}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What stands before, between and behind the numbers; never empty.
    parts: Box<[Box<[u8]>]>,
}

/// What the text of an answer must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Any text.
    Any,
    /// This text.
    Exact(Pattern),
    /// A text that begins so.
    Prefix(Pattern),
    /// A text with this in it.
    Contains(Pattern),
}

impl Pattern {
    /// The pattern that `text` describes.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { parts: text.split(SEQ).map(|part| part.as_bytes().into()).collect() }
    }

    /// Whether `{seq}` stands in it.
    #[must_use]
    pub fn has_number(&self) -> bool {
        self.parts.len() > 1
    }

    /// Appends the text with `number` in it.
    pub fn write(&self, number: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.parts[0]);
        for part in &self.parts[1..] {
            write!(out, "{number}").expect("a vector takes every byte");
            out.extend_from_slice(part);
        }
    }

    /// Where the numbers begin in a text.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = usize> {
        let between = &self.parts[..self.parts.len() - 1];
        between.iter().scan(0, |end, part| {
            let start = *end + part.len();
            *end = start + DIGITS;
            Some(start)
        })
    }

    /// The number, 0 if there is none, and the length of what matches at the beginning of `text`. A number is taken
    /// whole: 7 is not found in 17 or 71.
    fn matched(&self, text: &[u8]) -> Option<(u64, usize)> {
        let mut rest = text.strip_prefix(&*self.parts[0])?;
        let mut found = None;
        for part in &self.parts[1..] {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number = number(&rest[..digits])?;
            if *found.get_or_insert(number) != number {
                return None;
            }
            rest = rest[digits..].strip_prefix(&**part)?;
        }
        Some((found.unwrap_or(0), text.len() - rest.len()))
    }
}

/// `None` if it is too long, or has a zero before it.
fn number(digits: &[u8]) -> Option<u64> {
    match digits {
        [] | [b'0', _, ..] => None,
        digits => str::from_utf8(digits).ok()?.parse().ok(),
    }
}

impl Rule {
    /// Whether an answer to message `number` may have this text.
    #[must_use]
    pub fn accepts(&self, text: &[u8], number: u64) -> bool {
        self.matches(text).any(|found| found == number || !self.has_number())
    }

    /// The numbers of the messages that this text may answer; none if it breaks the rule, or the rule has no number.
    pub fn numbers<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = u64> {
        self.matches(text).filter(|_| self.has_number())
    }

    /// Whether an answer tells the number of its message.
    #[must_use]
    pub fn has_number(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Exact(pattern) | Self::Prefix(pattern) | Self::Contains(pattern) => {
                pattern.has_number()
            }
        }
    }

    /// The number, or 0, at each place in `text` that matches.
    fn matches<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = u64> {
        let (pattern, places) = match self {
            Self::Any => (None, 0..1),
            Self::Exact(pattern) | Self::Prefix(pattern) => (Some(pattern), 0..1),
            Self::Contains(pattern) => (Some(pattern), 0..text.len() + 1),
        };
        let is_exact = matches!(self, Self::Exact(_));
        places.filter_map(move |at| {
            let Some(pattern) = pattern else { return Some(0) };
            // Not the end of a longer number.
            let inside = at > 0 && text[at - 1].is_ascii_digit();
            if inside && pattern.has_number() && pattern.parts[0].is_empty() {
                return None;
            }
            let (number, len) = pattern.matched(&text[at..])?;
            (!is_exact || len == text.len()).then_some(number)
        })
    }
}
