//! How messages are made, and how their answers are recognised. Pure.
//!
//! A message of the echo mode is a head of sixteen digits of six bits (32 bits for the connection, 32 for the number, 32
//! to check them) and a filling that depends on both. So every byte of an answer has one right value, and sent messages
//! need not be kept.

#[cfg(test)]
mod tests;

use bench_kit::random::SplitMix64;
use load_plan::profile::{Size, Traffic};

use super::in_flight::InFlight;

/// Bytes of the head, and of the shortest message.
pub(super) const HEAD: usize = 16;

/// Positions in the filling at which the part of a message may begin.
const PLACES: usize = 4096;

/// Most unanswered messages that a damaged answer is compared with, to bound the time that it takes.
const RESEMBLING: usize = 4096;

/// Digits of the head and letters of the filling, so that any part of a message is valid text.
const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";

/// The value of each of [`LETTERS`]; `u8::MAX` for other bytes.
const VALUES: [u8; 256] = values();

/// How messages are made.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    filling: Box<[u8]>,
    /// Sizes, each with the upper end of its range of hashes.
    sizes: Box<[(u64, usize)]>,
    seed: u64,
}

/// How a received message relates to those that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recognised {
    /// The answer to this number, byte for byte.
    Exact(u32),
    /// An answer to this number with other bytes.
    Corrupted(u32),
    /// A part of an answer, which more messages follow.
    Part,
    /// A message that resembles none that was sent on this connection.
    Unknown,
}

impl Recipe {
    /// The recipe for the sizes and the seed of `traffic`.
    pub(super) fn new(traffic: &Traffic) -> Self {
        let longest = traffic.sizes.iter().map(|size| size.bytes).max().unwrap_or(HEAD);
        let mut rng = SplitMix64::new(traffic.seed);
        let filling = (0..longest + PLACES).map(|_| LETTERS[(rng.draw() % 64) as usize]).collect();
        Self { filling, sizes: parts(&traffic.sizes), seed: traffic.seed }
    }

    /// Bytes of the message with `hash`.
    fn size_at(&self, hash: u64) -> usize {
        let part = self.sizes.iter().find(|(end, _)| hash <= *end);
        part.map_or(HEAD, |(_, size)| *size)
    }

    /// Appends message `number` of `connection` to `out`.
    pub(super) fn write(&self, connection: u32, number: u32, out: &mut Vec<u8>) {
        let hash = self.hash(connection, number);
        let size = self.size_at(hash);
        out.reserve(size);
        out.extend_from_slice(&head(connection, number, hash));
        out.extend_from_slice(self.filling_at(hash, size));
    }

    /// Compares `payload`, received on `connection`, with the messages sent there.
    pub(super) fn recognise(
        &self,
        connection: u32,
        payload: &[u8],
        in_flight: &InFlight,
    ) -> Recognised {
        let read = payload.first_chunk().and_then(|head| self.read_head(head));
        if let Some((theirs, number, hash)) = read {
            if theirs != connection {
                return Recognised::Unknown;
            }
            let size = self.size_at(hash);
            if payload.len() == size && &payload[HEAD..] == self.filling_at(hash, size) {
                return Recognised::Exact(number);
            }
        }
        // Any byte may be wrong, also in the number: find the message that it resembles most.
        let own = read.map(|(_, number, _)| number).filter(|number| *number < in_flight.next());
        let closest = own
            .into_iter()
            .chain(in_flight.unanswered().take(RESEMBLING))
            .map(|number| (self.differing(connection, number, payload), number))
            .min();
        match closest {
            Some((differing, number)) if differing <= payload.len() / 4 => {
                Recognised::Corrupted(number)
            }
            _ => Recognised::Unknown,
        }
    }

    /// Bytes in which `payload` differs from message `number`; missing and extra bytes differ too.
    fn differing(&self, connection: u32, number: u32, payload: &[u8]) -> usize {
        let hash = self.hash(connection, number);
        let size = self.size_at(hash);
        let start = head(connection, number, hash);
        let expected = start.iter().chain(self.filling_at(hash, size));
        let different = expected.zip(payload).filter(|(expected, got)| expected != got).count();
        different + payload.len().abs_diff(size)
    }

    fn filling_at(&self, hash: u64, size: usize) -> &[u8] {
        let place = (hash >> 17) as usize % PLACES;
        &self.filling[place..place + size - HEAD]
    }

    /// The connection, the number and the hash of a message with this head; `None` if [`head`] has not made it.
    fn read_head(&self, head: &[u8; HEAD]) -> Option<(u32, u32, u64)> {
        let (upper, lower) = (read_digits(head.first_chunk()?)?, read_digits(head.last_chunk()?)?);
        let (connection, number) = ((upper >> 16) as u32, (upper << 16 | lower >> 32) as u32);
        let hash = self.hash(connection, number);
        (lower as u32 == hash as u32).then_some((connection, number, hash))
    }

    /// Decides on the size and the filling of a message; the lower half checks its head.
    fn hash(&self, connection: u32, number: u32) -> u64 {
        SplitMix64::new(self.seed ^ (u64::from(connection) << 32) ^ u64::from(number)).draw()
    }
}

fn parts(sizes: &[Size]) -> Box<[(u64, usize)]> {
    let total: f64 = sizes.iter().map(|size| size.share).sum();
    let mut upto = 0.0;
    let mut parts: Box<[(u64, usize)]> = sizes
        .iter()
        .map(|size| {
            upto += size.share / total;
            ((upto * u64::MAX as f64) as u64, size.bytes)
        })
        .collect();
    if let Some(last) = parts.last_mut() {
        last.0 = u64::MAX;
    }
    parts
}

fn head(connection: u32, number: u32, hash: u64) -> [u8; HEAD] {
    let upper = u64::from(connection) << 16 | u64::from(number >> 16);
    let lower = u64::from(number as u16) << 32 | hash & u64::from(u32::MAX);
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&digits(upper));
    head[8..].copy_from_slice(&digits(lower));
    head
}

/// The lower 48 bits of `word`.
fn digits(word: u64) -> [u8; 8] {
    std::array::from_fn(|at| LETTERS[(word >> (42 - 6 * at)) as usize & 0x3f])
}

/// The 48 bits of which [`digits`] makes `digits`.
fn read_digits(digits: &[u8; 8]) -> Option<u64> {
    let values = digits.map(|digit| VALUES[usize::from(digit)]);
    let seen = values.iter().fold(0, |seen, value| seen | value);
    let placed = values.iter().zip(0..).map(|(value, at)| u64::from(*value) << (42 - 6 * at));
    (seen < 64).then(|| placed.fold(0, |word, value| word | value))
}

const fn values() -> [u8; 256] {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < LETTERS.len() {
        values[LETTERS[value] as usize] = value as u8;
        value += 1;
    }
    values
}
