//! A round of messages of every shape on one connection: empty, at the borders of the three lengths of a frame, larger
//! than the buffers, in fragments, in one write, and control frames at their limits.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 50, |ops| {
        let mut client = Client::default();
        let shapes = shapes();
        move |window| {
            let server = window.start()?;
            client.upgrade(server.addr(), "/ws/echo")?;
            let mut next = shapes.iter().cycle();
            window.traffic(&server, 1, ops * shapes.len() as u64, || {
                next.next().map_or(Ok(()), |Frame { request, reply }| client.exchange(request, reply))
            })?;
            client.close()?;
            window.stop(server)?;
            Ok(())
        }
    })
}

fn shapes() -> Vec<Frame> {
    // A kernel passes 16 KiB on in one piece; larger messages are in memory in other scenarios.
    let lengths = [0, 1, 125, 126, 127, 1000, 4096, 8191, 8192, 16 * 1024];
    let mut shapes: Vec<Frame> =
        lengths.into_iter().flat_map(|n| [Frame::text(&ascii(n)), Frame::binary(n)]).collect();
    shapes.push(Frame::text(&"aß€𝄞".repeat(100)));
    // Fragments cut characters apart.
    shapes.extend([2, 3, 7].map(|pieces| Frame::fragmented(&"aß€𝄞".repeat(13), pieces)));
    shapes.push(empty_fragments());
    shapes.extend([0, 1, 64, 125].map(|length| Frame::ping(&vec![b'.'; length])));
    // A pong has no answer: the ping behind it has.
    shapes.extend([0, 125].map(|n| pong(n).then(&Frame::ping(b"heard?"))));
    shapes.push(ping_between_fragments());
    shapes.push(Frame::text("a").then(&Frame::binary(300)).then(&Frame::fragmented("bcdef", 2)));
    shapes
}

/// Masked with zeros.
fn pong(length: u8) -> Frame {
    let request = [&[0x8a, 0x80 | length, 0, 0, 0, 0], &vec![b'.'; length.into()][..]].concat();
    Frame { request, reply: Vec::new() }
}

/// A text message whose first, second and last frame are empty.
fn empty_fragments() -> Frame {
    let request = b"\x01\x80\0\0\0\0\x00\x80\0\0\0\0\x00\x82\0\0\0\0hi\x80\x80\0\0\0\0".to_vec();
    Frame { request, reply: Frame::text("hi").reply }
}

/// The pong comes first, then the whole message.
fn ping_between_fragments() -> Frame {
    let ping = Frame::ping(b"still there?");
    let message = Frame::fragmented(&ascii(64), 2);
    let (first, second) = message.request.split_at(message.request.len() / 2);
    let request = [first, &ping.request, second].concat();
    Frame { request, reply: [ping.reply, message.reply].concat() }
}
