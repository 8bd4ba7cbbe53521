//! What a connection sends in each mode, and how it recognises answers. Pure.

use load_plan::profile::{Mode, Profile};

use super::in_flight::InFlight;
use super::json_pointer::JsonPointer;
use super::message::{Recipe, Recognised, Template};

/// The mode of a profile, with everything that is made once.
#[derive(Clone, Debug)]
pub(super) enum Protocol {
    /// Every message comes back.
    Echo(Recipe),
    /// Every message is answered by a message with its number.
    Request { send: Template, reply: Template },
    /// The peer pushes messages.
    Subscribe { send: Option<String>, sequence: Option<JsonPointer>, time_ms: Option<JsonPointer> },
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
    /// The protocol of a checked profile, in which every template has its placeholder.
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

    /// Appends message `number` to `out`; a subscription sends none.
    pub(super) fn write(&self, connection: u32, number: u32, out: &mut Vec<u8>) {
        match self {
            Self::Echo(recipe) => recipe.write(connection, number, out),
            Self::Request { send, .. } => send.write(first_of(connection) + u64::from(number), out),
            Self::Subscribe { .. } => {}
        }
    }

    /// Which message `payload` answers.
    pub(super) fn recognise(
        &self,
        connection: u32,
        payload: &[u8],
        in_flight: &InFlight,
    ) -> Recognised {
        match self {
            Self::Echo(recipe) => recipe.recognise(connection, payload, in_flight),
            Self::Request { reply, .. } => {
                let number =
                    reply.find(payload).and_then(|at| at.checked_sub(first_of(connection)));
                match number.and_then(|number| u32::try_from(number).ok()) {
                    Some(number) => Recognised::Exact(number),
                    None => Recognised::Unknown,
                }
            }
            Self::Subscribe { .. } => Recognised::Unknown,
        }
    }

    /// The first message on a new connection.
    pub(super) fn greeting(&self) -> Option<&str> {
        match self {
            Self::Subscribe { send, .. } => send.as_deref(),
            Self::Echo(_) | Self::Request { .. } => None,
        }
    }

    /// The numbers in a pushed message; `None` in other modes.
    pub(super) fn update(&self, payload: &[u8]) -> Option<Update> {
        let Self::Subscribe { sequence, time_ms, .. } = self else { return None };
        let number = |pointer: &Option<JsonPointer>| pointer.as_ref()?.number(payload);
        let this = number(sequence).map(|n| n as u64);
        let lacks_number = sequence.is_some() && this.is_none();
        let has_time = time_ms.is_some();
        Some(Update { sequence: this, lacks_number, time_ms: number(time_ms), has_time })
    }
}

/// The first number of a connection's requests. Multiples of the golden ratio spread evenly for any number of connections,
/// so that a reply to another connection's request is noticed. Below 2³⁰: a peer may read the number as an `i32`.
fn first_of(connection: u32) -> u64 {
    u64::from(connection.wrapping_mul(0x9e37_79b1) >> 2)
}
