//! What a connection sends in each mode, and what it makes of what it receives. Pure.

use bytes::BytesMut;

use super::in_flight::InFlight;
use super::json_pointer::JsonPointer;
use super::message::{Recipe, Recognised, Template};
use load_plan::profile::{Mode, Profile};

/// The mode of a profile, made ready.
#[derive(Clone, Debug)]
pub(super) enum Protocol {
    /// Every message comes back.
    Echo(Recipe),
    /// Every message is answered by one with its number.
    Request { send: Template, reply: Template },
    /// Messages come by themselves.
    Subscribe { send: Option<String>, sequence: Option<JsonPointer>, time_ms: Option<JsonPointer> },
}

/// What a subscription's message says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Update {
    /// Its number.
    pub(super) sequence: Option<u64>,
    /// It has none where every message should.
    pub(super) lacks_number: bool,
    /// Its time in milliseconds since 1970.
    pub(super) time_ms: Option<f64>,
}

impl Protocol {
    /// A checked profile has its placeholders.
    pub(super) fn new(profile: &Profile) -> Self {
        let template = |text: &str| Template::parse(text).expect("a profile is checked for {seq}");
        let pointer = |text: &Option<String>| text.as_deref().map(JsonPointer::parse);
        match &profile.target.mode {
            Mode::Echo => Self::Echo(Recipe::new(&profile.traffic)),
            Mode::Request { send, reply } => {
                Self::Request { send: template(send), reply: template(reply) }
            }
            Mode::Subscribe { send, sequence, time_ms } => Self::Subscribe {
                send: send.clone(),
                sequence: pointer(sequence),
                time_ms: pointer(time_ms),
            },
        }
    }

    /// Appends message `number` to `out`; a subscription has none.
    pub(super) fn write(&self, connection: u16, number: u32, out: &mut BytesMut) {
        match self {
            Self::Echo(recipe) => recipe.write(connection, number, out),
            Self::Request { send, .. } => send.write(number, out),
            Self::Subscribe { .. } => {}
        }
    }

    /// Which of the messages on their way `payload` answers.
    pub(super) fn recognise(
        &self,
        connection: u16,
        payload: &[u8],
        in_flight: &InFlight,
    ) -> Recognised {
        match self {
            Self::Echo(recipe) => recipe.recognise(connection, payload, in_flight),
            Self::Request { reply, .. } => match reply.find(payload) {
                Some(number) => Recognised::Exact(number),
                None => Recognised::Unknown,
            },
            Self::Subscribe { .. } => Recognised::Unknown,
        }
    }

    /// What to send first on a new connection.
    pub(super) fn greeting(&self) -> Option<&str> {
        match self {
            Self::Subscribe { send, .. } => send.as_deref(),
            Self::Echo(_) | Self::Request { .. } => None,
        }
    }

    /// What a subscription's message says of itself; `None` where messages are answers.
    pub(super) fn update(&self, payload: &[u8]) -> Option<Update> {
        let Self::Subscribe { sequence, time_ms, .. } = self else { return None };
        let number = |pointer: &Option<JsonPointer>| pointer.as_ref()?.number(payload);
        let this = number(sequence).map(|n| n as u64);
        let lacks_number = sequence.is_some() && this.is_none();
        Some(Update { sequence: this, lacks_number, time_ms: number(time_ms) })
    }
}
