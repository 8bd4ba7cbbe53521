//! A text message in two fragments with a ping between them: the pong comes first, then the whole message.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    let ping = Frame::ping(b"still there?");
    let message = Frame::fragmented(&ascii(64), 2);
    let (first, second) = message.request.split_at(message.request.len() / 2);
    let request = [first, &ping.request, second].concat();
    let reply = [ping.reply, message.reply].concat();
    scenario::echo(Frame { request, reply }, 1000, 1)
}
