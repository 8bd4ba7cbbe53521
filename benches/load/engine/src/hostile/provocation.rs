//! One provocation, and the reaction of the peer.

use std::io::Cursor;
use std::time::Duration;

use load_plan::profile::Provocation;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::protocol::frame::FrameSocket;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, OpCode};

use crate::endpoint::{Endpoint, Stream};
use crate::problem::Problem;
use crate::transport::reset_on_drop;

/// Time within which a peer has to answer a provocation.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest time that a peer may keep a connection on which nothing is sent.
const HALF_OPEN: Duration = Duration::from_secs(15);

/// The reaction of a peer.
pub(super) struct Reaction {
    pub(super) is_good: bool,
    pub(super) words: String,
}

impl Reaction {
    fn good(words: impl Into<String>) -> Self {
        Self { is_good: true, words: words.into() }
    }

    fn bad(words: impl Into<String>) -> Self {
        Self { is_good: false, words: words.into() }
    }
}

/// Provokes the peer.
///
/// # Errors
///
/// How the attempt to connect ended.
pub(super) async fn attempt(endpoint: &Endpoint, kind: Provocation) -> Result<Reaction, Problem> {
    let bytes = match kind {
        Provocation::ConnectReset => {
            reset(&endpoint.stream().await?);
            return Ok(Reaction::good("reset at once"));
        }
        Provocation::HalfOpen => {
            let mut stream = endpoint.stream().await?;
            return Ok(match timeout(HALF_OPEN, read_all(&mut stream)).await {
                Ok(_) => Reaction::good("closed by the peer"),
                Err(_) => Reaction::bad("still open after 15 s without a word"),
            });
        }
        Provocation::NotHttp | Provocation::BadVersion => {
            return refused(endpoint, kind).await;
        }
        Provocation::ResetMidFrame => vec![0x81, 0xfe, 0x04],
        Provocation::Unmasked => vec![0x81, 0x02, b'h', b'i'],
        Provocation::ReservedBits => masked(0xf1, b"hi"),
        Provocation::ReservedOpcode => masked(0x83, b"hi"),
        Provocation::LongPing => [&[0x89, 0xfe, 0, 126, 0, 0, 0, 0][..], &[b'x'; 126]].concat(),
        Provocation::BadUtf8 => masked(0x81, &[0xff, 0xfe]),
        Provocation::Huge => vec![0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    };
    // tungstenite upgrades the connection; the provocation goes past it.
    let mut stream = endpoint.connect().await?.into_inner();
    if write(&mut stream, &bytes).await.is_err() {
        return Ok(Reaction::bad("broken before it was provoked"));
    }
    if kind == Provocation::ResetMidFrame {
        reset(&stream);
        return Ok(Reaction::good("reset in the middle of a frame"));
    }
    Ok(match timeout(PATIENCE, read_all(&mut stream)).await {
        Err(_) => Reaction::bad("still open after 5 s"),
        Ok(answer) => judged(due(kind), close_code(&answer)),
    })
}

/// The close code that RFC 6455 §7.4.1 demands.
const fn due(kind: Provocation) -> u16 {
    match kind {
        Provocation::BadUtf8 => 1007,
        Provocation::Huge => 1009,
        _ => 1002,
    }
}

/// A peer may leave without a close frame (RFC 6455 §7.1.7); a code that it sends must be right.
fn judged(due: u16, code: Option<u16>) -> Reaction {
    match code {
        None => Reaction::good("dropped without a close frame"),
        Some(code) if code == due => Reaction::good(format!("closed with {code}")),
        Some(code) => Reaction::bad(format!("closed with {code} and not {due}")),
    }
}

/// A request that must not be answered with 101.
async fn refused(endpoint: &Endpoint, kind: Provocation) -> Result<Reaction, Problem> {
    let mut stream = endpoint.stream().await?;
    let request = match kind {
        Provocation::NotHttp => "\u{1}\u{2}\u{3} this is not HTTP\r\n\r\n".to_owned(),
        _ => format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 99\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            endpoint.path(),
            endpoint.host()
        ),
    };
    if write(&mut stream, request.as_bytes()).await.is_err() {
        return Ok(Reaction::good("dropped"));
    }
    // The first bytes suffice: a peer may keep the connection open for another request.
    let mut answer = [0; 32];
    Ok(match timeout(PATIENCE, stream.read(&mut answer)).await {
        Err(_) => Reaction::bad("no answer within 5 s"),
        Ok(Err(_) | Ok(0)) => Reaction::good("dropped without an answer"),
        Ok(Ok(_)) => match status(&answer) {
            Some(101) => Reaction::bad("upgraded"),
            Some(status) => Reaction::good(format!("answered {status}")),
            None => Reaction::bad("answered with something that is not HTTP"),
        },
    })
}

async fn write(stream: &mut Stream, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads up to a close frame or the end of the stream; a reset counts as an end.
async fn read_all(stream: &mut Stream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        all.extend_from_slice(&chunk[..read]);
        if close_code(&all).is_some() {
            break;
        }
    }
    all
}

/// Makes the end of the connection a reset.
fn reset(stream: &Stream) {
    match stream {
        MaybeTlsStream::Plain(plain) => reset_on_drop(plain),
        MaybeTlsStream::Rustls(tls) => reset_on_drop(tls.get_ref().0),
        _ => {}
    }
}

/// A frame masked with zeros.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

fn status(answer: &[u8]) -> Option<u16> {
    let rest = answer.strip_prefix(b"HTTP/1.")?;
    str::from_utf8(rest.get(2..5)?).ok()?.parse().ok()
}

/// The code in the first close frame of a server's frames, 1005 without one.
fn close_code(frames: &[u8]) -> Option<u16> {
    let mut frames = FrameSocket::new(Cursor::new(frames));
    while let Ok(Some(frame)) = frames.read(None) {
        if frame.header().opcode == OpCode::Control(Control::Close) {
            let code = frame.payload().first_chunk().map(|code| u16::from_be_bytes(*code));
            return Some(code.unwrap_or(1005));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_code_is_found_behind_other_frames() {
        assert_eq!(close_code(&[0x81, 2, b'h', b'i', 0x88, 2, 0x03, 0xea]), Some(1002));
        assert_eq!(close_code(&[0x88, 0]), Some(1005));
        assert_eq!(close_code(&[0x88, 2, 0x03]), None);
        assert_eq!(close_code(&[0x81, 2, b'h', b'i']), None);
        assert_eq!(close_code(&[]), None);
    }

    #[test]
    fn a_wrong_close_code_is_a_bad_reaction() {
        assert!(judged(1002, Some(1002)).is_good && judged(1002, None).is_good);
        assert!(!judged(1002, Some(1000)).is_good && !judged(1009, Some(1002)).is_good);
    }

    #[test]
    fn an_http_status_is_read_from_the_first_bytes() {
        assert_eq!(status(b"HTTP/1.1 426 Upgrade Required"), Some(426));
        assert_eq!(status(b"HTTP/1.0 400"), Some(400));
        assert_eq!(status(b"SSH-2.0-x"), None);
    }
}
