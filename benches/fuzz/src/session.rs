//! A session over arbitrary frames and bytes that arrive in arbitrary pieces, with writes that stall, and faults between.

use std::time::Duration;

use server::Config;

use crate::bytes::Bytes;
use crate::frames::{BINARY, CLOSE, CONTINUATION, FINAL, PING, PONG, TEXT, frame, upgrade};
use crate::link::State;
use crate::served::Served;
use crate::verify::{Faults, verify};

/// Most bytes of a client in one input: what is beyond would only cost time.
const MOST_SENT: usize = 150 * 1024;

/// Bytes of a client beyond which pieces of a few bytes would only cost time.
const MANY_SENT: usize = 4 * 1024;

/// Bytes of a piece in such a stream, at least.
const LARGE_PIECE: usize = 300;

/// Lengths around those at which a frame's header or a buffer grows.
const LENGTHS: [usize; 16] =
    [0, 1, 2, 5, 10, 60, 125, 126, 127, 300, 1024, 2048, 4096, 20_000, 65_535, 65_536];

/// Pieces in which bytes arrive or are written.
const PIECES: [usize; 8] = [1, 2, 3, 7, 100, 1000, 10_000, usize::MAX];

/// Jumps of the clock: below, at and beyond every limit of a session.
const JUMPS_MS: [u64; 8] = [1, 100, 1_000, 2_000, 5_000, 10_000, 25_000, 86_400_000];

/// Time that may pass before a limit of a session can be reached.
const HARMLESS: Duration = Duration::from_millis(1_500);

const CODES: [u16; 16] =
    [1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1011, 1014, 1015, 1016, 2999, 3000, 4999, 0];

/// The settings, the pieces, and then one step after the other.
///
/// # Panics
///
/// If the server does, or if it answers, holds or keeps what it must not.
pub fn session(data: &[u8]) {
    let mut bytes = Bytes(data);
    let settings = bytes.byte();
    let config = if settings & 1 == 0 {
        Config::default()
    } else {
        Config { max_message: 2048, read_buffer: 256, write_buffer: 256, ..Config::default() }
    };
    let request = upgrade("/ws/echo");
    let mut talk = Talk {
        limit: config.max_message,
        served: Served::new(config),
        at_once: settings & 4 == 0,
        head: request.len(),
        frame: Vec::new(),
        text: 0,
        passed: Duration::ZERO,
        faults: Faults::default(),
    };
    talk.served.change(|state| {
        set_pieces(state, settings >> 3);
        state.room = if settings & 2 == 0 { usize::MAX } else { 0 };
        state.sent.extend_from_slice(request.as_bytes());
        state.arrived = if settings & 4 == 0 { usize::MAX } else { 0 };
    });
    while !bytes.is_empty() && talk.served.is_open() {
        talk.step(&mut bytes);
    }
    talk.end();
}

/// Two bits for reads, two for writes, one for hesitation.
fn set_pieces(state: &mut State, bits: u8) {
    let piece = |bits: u8| [usize::MAX, 1, 7, 300][usize::from(bits & 3)];
    state.read_at_most = piece(bits);
    state.write_at_most = piece(bits >> 2);
    state.hesitates = bits & 16 != 0;
}

struct Talk {
    served: Served,
    limit: usize,
    /// Whether everything that is sent arrives at once.
    at_once: bool,
    /// Bytes of the request that upgrades the connection.
    head: usize,
    /// The last frame.
    frame: Vec<u8>,
    /// Bytes of the fragmented text so far.
    text: usize,
    passed: Duration,
    faults: Faults,
}

impl Talk {
    /// One step: four bits say which, and four bits are its argument.
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let step = bytes.byte();
        let argument = usize::from(step >> 4);
        let length = LENGTHS[argument];
        let piece = PIECES[argument & 7];
        match step & 15 {
            0 => self.say(FINAL | TEXT, &vec![b'x'; length]),
            1 => self.say(FINAL | BINARY, &vec![0xff; length]),
            2 => self.fragment(TEXT, length),
            3 => self.say(BINARY, &vec![b'b'; length]),
            4 => self.fragment(CONTINUATION, length),
            5 => self.fragment(FINAL | CONTINUATION, length),
            6 => self.say(FINAL | PING, &vec![b'?'; length.min(125)]),
            7 => self.say(FINAL | PONG, &vec![b'!'; length.min(125)]),
            8 => self.say(FINAL | CLOSE, &close(argument, bytes)),
            9 => self.send(bytes.take(argument + 1)),
            10 => {
                let (first, payload) = (bytes.byte(), bytes.take(argument));
                self.say(first, payload);
            }
            11 => {
                let frames = [2, 8, 64, 1100][argument & 3];
                let frame = std::mem::take(&mut self.frame);
                (0..frames).for_each(|_| self.send(&frame));
                self.frame = frame;
            }
            12 => self.change(|state| state.arrived = state.arrived.saturating_add(piece)),
            13 => self.change(|state| state.room = state.room.saturating_add(piece)),
            14 => self.advance(Duration::from_millis(JUMPS_MS[argument & 7])),
            _ => self.fault(argument, bytes),
        }
    }

    fn fault(&mut self, argument: usize, bytes: &mut Bytes<'_>) {
        match argument {
            0 => self.served.wake(),
            1 => self.change(|state| state.room = 0),
            2 | 3 => {
                let pieces = bytes.byte();
                self.change(|state| set_pieces(state, pieces));
            }
            4 => self.at_once = !self.at_once,
            5 => {
                self.faults.ended = true;
                self.change(|state| state.ended = true);
            }
            6 => {
                self.faults.reset = true;
                self.change(|state| state.reset = true);
            }
            7 => {
                self.faults.cancelled = true;
                self.served.cancel();
            }
            8 => {
                self.faults.drained = true;
                self.served.drain();
            }
            _ => {}
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut State)) {
        self.served.change(change);
    }

    fn advance(&mut self, by: Duration) {
        self.passed += by;
        self.faults.late = self.passed > HARMLESS;
        self.served.advance(by);
    }

    fn say(&mut self, first: u8, payload: &[u8]) {
        let frame = frame(first, payload);
        self.send(&frame);
        self.frame = frame;
    }

    /// A piece of a text whose characters have one to four bytes; it is whole where the last one ends.
    fn fragment(&mut self, first: u8, length: usize) {
        let mut length = length;
        if first == TEXT {
            self.text = 0;
        }
        let characters = "aé€😀".as_bytes();
        if first & FINAL != 0 {
            length +=
                (characters.len() - (self.text + length) % characters.len()) % characters.len();
        }
        let begin = self.text % characters.len();
        let text = characters.repeat((begin + length).div_ceil(characters.len()));
        self.text += length;
        self.say(first, &text[begin..][..length]);
    }

    fn send(&mut self, bytes: &[u8]) {
        // A network loses nothing in the middle.
        let sent = self.served.network.state().sent.len();
        if self.faults.ended || sent + bytes.len() > MOST_SENT {
            return;
        }
        let at_once = self.at_once;
        self.change(|state| {
            state.sent.extend_from_slice(bytes);
            if state.sent.len() > MANY_SENT {
                state.read_at_most = state.read_at_most.max(LARGE_PIECE);
                state.write_at_most = state.write_at_most.max(LARGE_PIECE);
            }
            if at_once {
                state.arrived = usize::MAX;
            }
        });
    }

    fn end(mut self) {
        self.change(|state| {
            set_pieces(state, 0);
            state.room = usize::MAX;
            state.arrived = usize::MAX;
        });
        self.served.end();
        let state = self.served.network.state();
        verify(&state.sent[self.head..], &state.written, self.limit, self.faults);
    }
}

fn close(argument: usize, bytes: &mut Bytes<'_>) -> Vec<u8> {
    let code = CODES[usize::from(bytes.byte() & 15)].to_be_bytes();
    match argument {
        0 => Vec::new(),
        1 => code[..1].to_vec(),
        2..=7 => code.to_vec(),
        8..=13 => [&code[..], "bye €".as_bytes()].concat(),
        _ => [&code[..], bytes.take(argument)].concat(),
    }
}
