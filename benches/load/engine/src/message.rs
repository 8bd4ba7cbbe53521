//! What is sent, and how its answer is recognised. Pure.
//!
//! A message of the echo mode is sixteen hexadecimal digits (four for the connection, eight for the number, four to
//! check them) and a filling that depends on both, so that every byte of an answer has one right value and nothing needs
//! to be remembered of what was sent.

#[cfg(test)]
mod tests;

use bytes::{BufMut, BytesMut};

use super::in_flight::InFlight;
use bench_kit::random::SplitMix64;
use load_plan::profile::{Size, Traffic};

/// Bytes of the head; no message is shorter.
pub(super) const HEAD: usize = 16;

/// Places in the filling at which a message's may begin.
const PLACES: usize = 4096;

/// Messages on their way that a damaged answer is held against; with more it would take too long.
const RESEMBLING: usize = 4096;

/// Letters of the filling: text, and any byte is as good as another in a binary message.
const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";

/// How messages are made.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    filling: Box<[u8]>,
    /// Sizes with the upper end of their part of 2⁶⁴.
    sizes: Box<[(u64, usize)]>,
    seed: u64,
}

/// What a received message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recognised {
    /// The answer to this number, byte for byte.
    Exact(u32),
    /// An answer to this number with other bytes.
    Corrupted(u32),
    /// Nothing that was sent on this connection.
    Unknown,
}

impl Recipe {
    /// For the sizes and the seed of `traffic`.
    #[must_use]
    pub(super) fn new(traffic: &Traffic) -> Self {
        let longest = traffic.sizes.iter().map(|size| size.bytes).max().unwrap_or(HEAD);
        let mut rng = SplitMix64::new(traffic.seed);
        let filling = (0..longest + PLACES).map(|_| LETTERS[(rng.draw() % 64) as usize]).collect();
        Self { filling, sizes: parts(&traffic.sizes), seed: traffic.seed }
    }

    /// Bytes of message `number` on `connection`.
    #[must_use]
    pub(super) fn size(&self, connection: u16, number: u32) -> usize {
        let [(_, only)] = *self.sizes else {
            let at = self.hash(connection, number);
            let part = self.sizes.iter().find(|(end, _)| at <= *end);
            return part.map_or(HEAD, |(_, size)| *size);
        };
        only
    }

    /// Appends message `number` of `connection` to `out`.
    pub(super) fn write(&self, connection: u16, number: u32, out: &mut BytesMut) {
        let size = self.size(connection, number);
        out.reserve(size);
        out.put_slice(&head(connection, number));
        out.put_slice(self.filling_of(connection, number, size));
    }

    /// What `payload`, received on `connection`, is.
    #[must_use]
    pub(super) fn recognise(
        &self,
        connection: u16,
        payload: &[u8],
        in_flight: &InFlight,
    ) -> Recognised {
        let read = payload.first_chunk().and_then(read_head);
        if let Some((theirs, number)) = read
            && theirs == connection
            && self.has_right_filling(connection, number, payload)
        {
            return Recognised::Exact(number);
        }
        // Something of it is wrong, perhaps the number itself: the message that it resembles most is meant.
        let own = read.map(|(_, number)| number).filter(|number| *number < in_flight.next());
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

    /// Whether `payload`, whose head is right, is message `number`.
    fn has_right_filling(&self, connection: u16, number: u32, payload: &[u8]) -> bool {
        let size = self.size(connection, number);
        payload.len() == size && &payload[HEAD..] == self.filling_of(connection, number, size)
    }

    /// In how many bytes `payload` differs from message `number`; of another length, in those it lacks as well.
    fn differing(&self, connection: u16, number: u32, payload: &[u8]) -> usize {
        let size = self.size(connection, number);
        let (start, filling) =
            (head(connection, number), self.filling_of(connection, number, size));
        let expected = start.iter().chain(filling);
        let different = expected.zip(payload).filter(|(expected, got)| expected != got).count();
        different + payload.len().abs_diff(size)
    }

    fn filling_of(&self, connection: u16, number: u32, size: usize) -> &[u8] {
        let place = (self.hash(connection, number) >> 17) as usize % PLACES;
        &self.filling[place..place + size - HEAD]
    }

    fn hash(&self, connection: u16, number: u32) -> u64 {
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

fn head(connection: u16, number: u32) -> [u8; HEAD] {
    let whole = (u64::from(connection) << 48)
        | (u64::from(number) << 16)
        | u64::from(check_of(connection, number));
    let [upper, lower] = [digits((whole >> 32) as u32), digits(whole as u32)];
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&upper);
    head[8..].copy_from_slice(&lower);
    head
}

/// Eight hexadecimal digits, made side by side in one word.
fn digits(number: u32) -> [u8; 8] {
    let spread = |word: u64, by: u32, mask: u64| (word | word << by) & mask;
    let word = spread(u64::from(number), 16, 0x0000_ffff_0000_ffff);
    let word = spread(word, 8, 0x00ff_00ff_00ff_00ff);
    let nibbles = spread(word, 4, LOWER);
    let is_letter = (nibbles + EACH * 6) >> 4 & EACH;
    (nibbles + EACH * u64::from(b'0') + is_letter * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

/// The number of eight hexadecimal digits; of anything else some number.
fn number_of(digits: &[u8; 8]) -> u32 {
    let word = u64::from_be_bytes(*digits);
    let nibbles = (word & LOWER) + (word >> 6 & EACH) * 9;
    let gather = |word: u64, by: u32, mask: u64| (word | word >> by) & mask;
    let word = gather(nibbles & LOWER, 4, 0x00ff_00ff_00ff_00ff);
    let word = gather(word, 8, 0x0000_ffff_0000_ffff);
    (word | word >> 16) as u32
}

/// The lower half of every byte.
const LOWER: u64 = EACH * 0x0f;

/// A one in every byte.
const EACH: u64 = 0x0101_0101_0101_0101;

fn read_head(head: &[u8; HEAD]) -> Option<(u16, u32)> {
    let [upper, lower] = [number_of(head.first_chunk()?), number_of(head.last_chunk()?)];
    let (connection, number) = ((upper >> 16) as u16, upper << 16 | lower >> 16);
    // What is no digit, and what does not check, is not what would have been written.
    (*head == self::head(connection, number)).then_some((connection, number))
}

fn check_of(connection: u16, number: u32) -> u16 {
    (SplitMix64::new(u64::from(connection) << 32 | u64::from(number)).draw() >> 48) as u16
}

/// A text with `{seq}` in it.
#[derive(Clone, Debug)]
pub(super) struct Template {
    before: Box<[u8]>,
    after: Box<[u8]>,
}

impl Template {
    /// `None` without `{seq}`.
    #[must_use]
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (before, after) = text.split_once("{seq}")?;
        Some(Self { before: before.as_bytes().into(), after: after.as_bytes().into() })
    }

    /// Appends the text with `number` in it.
    pub(super) fn write(&self, number: u32, out: &mut BytesMut) {
        let mut digits = [0; 10];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        out.reserve(self.before.len() + digits.len() + self.after.len());
        out.put_slice(&self.before);
        out.put_slice(&digits[at..]);
        out.put_slice(&self.after);
    }

    /// The number in the first place in `payload` that fits.
    #[must_use]
    pub(super) fn find(&self, payload: &[u8]) -> Option<u32> {
        (0..payload.len()).find_map(|at| {
            let rest = payload[at..].strip_prefix(&*self.before)?;
            // The middle of a longer number is not one.
            if self.before.is_empty() && at > 0 && payload[at - 1].is_ascii_digit() {
                return None;
            }
            let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, rest) = rest.split_at(len);
            rest.starts_with(&self.after)
                .then(|| str::from_utf8(digits).ok()?.parse().ok())
                .flatten()
        })
    }
}
