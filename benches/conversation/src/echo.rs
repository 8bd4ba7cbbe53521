use std::collections::BTreeMap;

use super::pattern::DIGITS;
use super::{Conversation, SEQ, Step};

impl Conversation {
    /// A message of `size` bytes that must come back. From ten bytes on, it begins with a number, so that the answer to
    /// an earlier message is a wrong one.
    #[must_use]
    pub fn echo(size: usize, binary: bool) -> Self {
        let number = if size < DIGITS { "" } else { SEQ };
        let filled = if number.is_empty() { 0 } else { DIGITS };
        let filling = ('a'..='z').cycle().take(size - filled);
        let send = Some(number.chars().chain(filling).collect());
        Self {
            path: None,
            subprotocol: None,
            headers: BTreeMap::new(),
            connections: 1,
            open: Vec::new(),
            exchanges: vec![Step { send, expect: None, binary }],
        }
    }
}
