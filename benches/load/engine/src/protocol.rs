//! What a connection sends in each mode, and how it recognises answers. Pure.

use conversation::script::{Line, Script};
use load_plan::profile::{Kind, Mode, Profile};

use super::in_flight::InFlight;
use super::json_pointer::JsonPointer;
use super::message::{Recipe, Recognised};
use super::talk::{Heard, Talk};

/// The mode of a profile, with everything that is made once.
#[derive(Clone, Debug)]
pub(super) struct Protocol {
    /// What each connection does before its first message.
    pub(super) open: Vec<Line>,
    pub(super) messages: Messages,
}

/// The messages of a connection.
#[derive(Clone, Debug)]
pub(super) enum Messages {
    /// Every message comes back.
    Echo(Recipe, Kind),
    /// Every message has an answer of its own.
    Talk(Talk),
    /// The peer pushes messages.
    Subscribe { sequence: Option<JsonPointer>, time_ms: Option<JsonPointer> },
}

/// The numbers in a message that the peer pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Update {
    /// Its sequence number.
    pub(super) sequence: Option<u64>,
    /// Whether the sequence number is missing.
    pub(super) lacks_number: bool,
    /// Its time in milliseconds since 1970.
    pub(super) time_ms: Option<f64>,
    /// Whether it should have a time.
    pub(super) has_time: bool,
}

impl Protocol {
    /// The protocol of a checked profile.
    pub(super) fn new(profile: &Profile) -> Self {
        let Script { open, exchanges } = profile.script();
        let pointer = |text: &Option<String>| text.as_deref().map(JsonPointer::parse);
        let messages = match &profile.target.mode {
            Mode::Echo => Messages::Echo(Recipe::new(&profile.traffic), profile.traffic.kind),
            Mode::Request { .. } | Mode::Conversation(_) => Messages::Talk(Talk::new(exchanges)),
            Mode::Subscribe { sequence, time_ms, .. } => {
                Messages::Subscribe { sequence: pointer(sequence), time_ms: pointer(time_ms) }
            }
        };
        Self { open, messages }
    }

    /// Appends message `number` to `out`; a subscription sends none.
    pub(super) fn write(&self, connection: u32, number: u32, out: &mut Vec<u8>) {
        match &self.messages {
            Messages::Echo(recipe, _) => recipe.write(connection, number, out),
            Messages::Talk(talk) => talk.write(connection, number, out),
            Messages::Subscribe { .. } => {}
        }
    }

    /// Whether message `number` is text or binary.
    pub(super) fn kind(&self, number: u32) -> Kind {
        match &self.messages {
            Messages::Echo(_, kind) => *kind,
            Messages::Talk(talk) => talk.kind(number),
            Messages::Subscribe { .. } => Kind::Text,
        }
    }

    /// Which message a received one answers.
    pub(super) fn recognise(
        &self,
        connection: u32,
        (kind, payload): (Kind, &[u8]),
        in_flight: &InFlight,
        heard: &mut Heard,
    ) -> Recognised {
        match &self.messages {
            Messages::Echo(recipe, own) => match recipe.recognise(connection, payload, in_flight) {
                Recognised::Exact(number) if kind != *own => Recognised::Corrupted(number),
                recognised => recognised,
            },
            Messages::Talk(talk) => talk.recognise(connection, (kind, payload), in_flight, heard),
            Messages::Subscribe { .. } => Recognised::Unknown,
        }
    }

    /// The numbers in a pushed message; `None` in other modes.
    pub(super) fn update(&self, payload: &[u8]) -> Option<Update> {
        let Messages::Subscribe { sequence, time_ms } = &self.messages else { return None };
        let number = |pointer: &Option<JsonPointer>| pointer.as_ref()?.number(payload);
        let this = number(sequence).map(|n| n as u64);
        let lacks_number = sequence.is_some() && this.is_none();
        let has_time = time_ms.is_some();
        Some(Update { sequence: this, lacks_number, time_ms: number(time_ms), has_time })
    }
}
