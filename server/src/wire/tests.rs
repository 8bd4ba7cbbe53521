use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::*;

const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A peer that sends `chunks`, each once the one before is read, and takes everything.
struct Peer {
    chunks: VecDeque<Vec<u8>>,
    /// Whether the next chunk is still on its way.
    late: bool,
}

impl Peer {
    fn sending(bytes: &[u8], at_once: usize) -> Self {
        Self { chunks: bytes.chunks(at_once).map(<[u8]>::to_vec).collect(), late: false }
    }
}

impl AsyncRead for Peer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.late) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(chunk) = self.chunks.front_mut() else { return Poll::Ready(Ok(())) };
        let read = chunk.len().min(buffer.remaining());
        buffer.put_slice(&chunk[..read]);
        chunk.drain(..read);
        if chunk.is_empty() {
            self.chunks.pop_front();
            self.late = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Task<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A masked frame, its length in `width` bytes more than the least.
fn frame(first: u8, width: usize, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match width {
        0 => bytes.push(MASKED | u8::try_from(payload.len()).expect("a short payload")),
        2 => {
            bytes.push(MASKED | 126);
            bytes.extend(u16::try_from(payload.len()).expect("a payload").to_be_bytes());
        }
        _ => {
            bytes.push(MASKED | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(2048)
        .write_buffer_size(1024)
        .max_message_size(Some(8192))
        .max_frame_size(Some(8192))
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(test)
}

/// The messages on `io`, until the first error, in words.
async fn messages<S: AsyncRead + AsyncWrite + Unpin>(io: S) -> (Vec<Message>, Option<String>) {
    let mut ws = WebSocketStream::from_raw_socket(io, Role::Server, Some(config())).await;
    let (mut messages, mut error) = (Vec::new(), None);
    while let Some(message) = ws.next().await {
        match message {
            Ok(message) => messages.push(message),
            // Its text is the part that is not UTF-8, which may have come in pieces.
            Err(WsError::Utf8(_)) => error = Some("not UTF-8".to_owned()),
            Err(cause) => error = Some(cause.to_string()),
        }
    }
    (messages, error)
}

/// Checks that `bytes` are the same messages in chunks of any length as without a wire.
fn check(bytes: &[u8]) {
    run(async {
        let settings = Config::default();
        let expected = messages(Peer::sending(bytes, bytes.len())).await;
        // Some lengths that are coprime to every length here, and every short one.
        for at_once in (1..64).chain([125, 126, 127, 509, 1021, 2047, 2048, 2049, bytes.len()]) {
            for already in [0, 1, 9, 14, 300] {
                let (early, rest) = bytes.split_at(already.min(bytes.len()));
                let io = Peer::sending(rest, at_once);
                let wire = Wire::new(io, early.to_vec(), Limits::of(&config()), &settings);
                let got = messages(wire).await;
                assert!(got == expected, "in chunks of {at_once} behind {already}: {got:?}");
            }
        }
    });
}

fn text(bytes: usize) -> Vec<u8> {
    "aß€𝄞".bytes().cycle().take(bytes / 10 * 10).collect()
}

#[test]
fn any_split_of_large_frames_is_the_same_messages() {
    let large = text(7000);
    check(&[frame(0x81, 2, &large), frame(0x82, 8, &large), frame(0x88, 0, b"")].concat());
    // The length of the second is longer than it need be.
    check(&[frame(0x82, 8, &large[..2049]), frame(0x82, 8, b"x"), frame(0x82, 2, b"")].concat());
}

#[test]
fn any_split_of_fragments_is_the_same_messages() {
    let large = text(4000);
    check(
        &[
            frame(0x01, 2, &large[..2503]),
            frame(0x89, 0, b"still there?"),
            frame(0x00, 0, b""),
            frame(0x00, 8, &large[2503..]),
            frame(0x8a, 0, b""),
            frame(0x80, 2, &large),
            frame(0x81, 0, "€".as_bytes()),
        ]
        .concat(),
    );
}

#[test]
fn any_split_of_more_frames_than_a_turn_has_is_the_same_messages() {
    let many: Vec<u8> = (0..300).flat_map(|i| frame(0x82, 0, &vec![b'm'; i % 3])).collect();
    check(&[many.clone(), frame(0x82, 2, &text(3000)), many].concat());
}

#[test]
fn any_split_of_what_is_forbidden_is_the_same_error() {
    let large = text(3000);
    let unmasked = [&[0x82, 127][..], &3000_u64.to_be_bytes(), &large].concat();
    let forbidden = [
        frame(0xc2, 2, &large),
        frame(0x83, 2, &large),
        frame(0x80, 2, &large),
        unmasked,
        frame(0x82, 8, &text(8200)),
        [frame(0x02, 2, &large), frame(0x82, 2, &large)].concat(),
        frame(0x81, 2, &[&large[..], b"\xff", &large].concat()),
    ];
    for forbidden in forbidden {
        check(&[frame(0x82, 0, b"before"), forbidden].concat());
    }
}

#[test]
fn a_header_declares_no_more_than_has_arrived() {
    run(async {
        let settings = Config::default();
        let frame = frame(0x82, 8, &text(7000));
        let (header, payload) = frame.split_at(14);
        let chunks = [header, &payload[..3], &payload[3..]].map(<[u8]>::to_vec);
        let io = Peer { chunks: chunks.into(), late: false };
        let mut wire = Wire::new(io, Vec::new(), Limits::of(&config()), &settings);
        let mut buffer = [0; 2048];
        assert_eq!(wire.read(&mut buffer).await.expect("no error"), 14);
        assert_eq!(&buffer[..14], [&[0x02, 0xff], &[0; 8][..], &MASK].concat());
        assert_eq!(wire.read(&mut buffer).await.expect("no error"), 8 + 3);
        assert_eq!(&buffer[..8], [&[0x00, 0xfe, 0, 3], &MASK[..]].concat());
        assert_eq!(buffer[8..11], payload[..3]);
        // The mask goes on where the last piece ended.
        assert_eq!(wire.read(&mut buffer).await.expect("no error"), 2048);
        assert_eq!(&buffer[..4], &[0x00, 0xfe, 0x07, 0xf8]);
        assert_eq!(buffer[4..8], [MASK[3], MASK[0], MASK[1], MASK[2]]);
    });
}

#[test]
fn a_large_frame_whose_beginning_fills_a_read_passes_unchanged() {
    run(async {
        let settings = Config::default();
        let frame = frame(0x82, 2, &text(7000));
        let io = Peer::sending(&frame, frame.len());
        let mut wire = Wire::new(io, Vec::new(), Limits::of(&config()), &settings);
        let mut buffer = [0; 2048];
        for part in frame.chunks(2048) {
            assert_eq!(wire.read(&mut buffer).await.expect("no error"), part.len());
            assert!(buffer[..part.len()] == *part);
        }
    });
}

#[test]
fn other_tasks_run_between_the_turns_of_an_endless_peer() {
    run(async {
        let settings = Config::default();
        let flood = frame(0x82, 0, b"x").repeat(10 * TURN_FRAMES as usize);
        let turns = std::rc::Rc::new(std::cell::Cell::new(0));
        let other = async {
            loop {
                turns.set(turns.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        let wire = Wire::new(&flood[..], Vec::new(), Limits::of(&config()), &settings);
        let mut wire = std::pin::pin!(wire);
        let mut got = Vec::new();
        let read = std::pin::pin!(wire.read_to_end(&mut got));
        futures::future::select(read, std::pin::pin!(other)).await;
        assert!(turns.get() >= 9, "{} turns", turns.get());
        assert!(got == flood);
    });
}
