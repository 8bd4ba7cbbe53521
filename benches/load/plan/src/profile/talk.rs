use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use conversation::script::Script;
use conversation::{Conversation, Expect, Step};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Kind, MOST_BYTES, Mode, Profile, Target};
use crate::units::exact_bytes;

/// What is said to the target.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Talk {
    /// In a file, whose path is relative to that of the profile. Reading the profile replaces it.
    File(String),
    /// Here. A report has it so, so that the run can be repeated.
    Held(Conversation),
}

impl<'de> Deserialize<'de> for Talk {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Talk;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of a file, such as \"chat.toml\"")
    }

    fn visit_str<E>(self, file: &str) -> Result<Talk, E> {
        Ok(Talk::File(file.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Talk, A::Error> {
        Conversation::deserialize(MapAccessDeserializer::new(map)).map(Talk::Held)
    }
}

impl Target {
    /// Says the conversation in a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or no driver could hold its conversation.
    pub fn say_file(&mut self, file: &Path) -> Result<()> {
        self.say(Conversation::load(file)?);
        Ok(())
    }

    /// Says the text in a file over and over. An answer contains `reply` or, without one, is the text. Returns its size in
    /// bytes.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not text, or is longer than a message may be.
    pub fn say_payload(
        &mut self,
        file: &Path,
        reply: Option<String>,
        binary: bool,
    ) -> Result<usize> {
        let name = file.display();
        let mut bytes = Vec::new();
        let read = File::open(file)
            .and_then(|opened| opened.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes));
        read.with_context(|| format!("cannot read the payload {name}; check the path"))?;
        ensure!(
            (1..=MOST_BYTES).contains(&bytes.len()),
            "the payload {name} has {}; a message has from 1B to {}",
            if bytes.is_empty() { "no bytes" } else { "too many bytes" },
            exact_bytes(MOST_BYTES)
        );
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            anyhow!("the payload {name} is not UTF-8 from byte {at} on; write it as text")
        })?;
        let size = text.len();
        let expect = reply.map(|reply| Expect { contains: Some(reply), ..Expect::default() });
        let mut conversation = Conversation::echo(0, binary);
        conversation.exchanges = vec![Step { send: Some(text), expect, binary }];
        self.mode = Mode::Conversation(Talk::Held(conversation));
        Ok(size)
    }

    /// Says `conversation`. What it wants in the upgrade becomes part of the target, unless the target has another value.
    pub(super) fn say(&mut self, mut conversation: Conversation) {
        let subprotocol = conversation.subprotocol.take();
        self.subprotocol = self.subprotocol.take().or(subprotocol);
        for (name, value) in std::mem::take(&mut conversation.headers) {
            let is_set = self.headers.keys().any(|own| own.eq_ignore_ascii_case(&name));
            if name.eq_ignore_ascii_case("origin") {
                self.origin.get_or_insert(value);
            } else if !is_set {
                self.headers.insert(name, value);
            }
        }
        self.mode = Mode::Conversation(Talk::Held(conversation));
    }

    /// `url`, with the path of the conversation if it has none of its own.
    #[must_use]
    pub fn address(&self, url: &str) -> String {
        let path = match &self.mode {
            Mode::Conversation(Talk::Held(Conversation { path, .. })) => path.as_deref(),
            _ => None,
        };
        let bare = url.strip_suffix('/').unwrap_or(url);
        let is_bare = bare.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?']));
        match path {
            Some(path) if is_bare => format!("{bare}{path}"),
            _ => url.to_owned(),
        }
    }
}

impl Profile {
    /// What each connection does once it is open, and the exchanges that are its messages; none of an echo, whose messages
    /// have sizes instead.
    #[must_use]
    pub fn script(&self) -> Script {
        let binary = self.traffic.kind == Kind::Binary;
        let step = |send: &String, expect| Step { send: Some(send.clone()), expect, binary };
        let mut empty = Conversation::echo(0, false);
        empty.exchanges.clear();
        let conversation = match &self.target.mode {
            Mode::Conversation(Talk::Held(conversation)) => conversation.clone(),
            Mode::Request { send, reply } => {
                let expect = Expect { contains: Some(reply.clone()), ..Expect::default() };
                Conversation { exchanges: vec![step(send, Some(expect))], ..empty }
            }
            Mode::Subscribe { send, .. } => {
                let greeting = |send| Step { binary: false, ..step(send, None) };
                Conversation { open: send.iter().map(greeting).collect(), ..empty }
            }
            Mode::Echo | Mode::Conversation(Talk::File(_)) => empty,
        };
        Script::new(&conversation)
    }
}

/// What the engine can do with a conversation.
pub(super) fn check(profile: &Profile) -> Result<()> {
    let Mode::Conversation(talk) = &profile.target.mode else { return Ok(()) };
    let key = "target.mode.conversation";
    let Talk::Held(conversation) = talk else {
        bail!(
            "{key}: the file cannot be read from here; write the conversation in place of its name"
        )
    };
    conversation.check().map_err(|error| anyhow!("{key}: {error}"))?;
    ensure!(
        conversation.connections == 1,
        "{key}: connections is {}, and no user of a load hears the answer to another; remove the key and write the number \
         of users in [[stage]], or compare two servers by it with ws-compare",
        conversation.connections
    );
    for (step, nth) in conversation.exchanges.iter().zip(1..) {
        ensure!(
            step.send.is_some(),
            "{key}: exchange {nth} has no send, and each exchange of a load is a message; write frames = 2 in the \
             exchange before it"
        );
    }
    ensure!(
        profile.traffic.kind == Kind::Text,
        "traffic.kind is binary, and a conversation says itself which messages are; remove the key and write binary = true \
         in its steps"
    );
    Ok(())
}
