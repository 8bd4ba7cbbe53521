//! A round of connections, each of which breaks another rule of RFC 6455 or a limit: a close frame with the reason, then
//! the end of the stream without a reset.

use alloc_tests::scenario;
use plimsoll::Scenario;
use server::Config;

/// Small enough for one read.
const MAX_MESSAGE: usize = 1000;

/// The route, the bytes that break a rule (masked with zeros), and the code of the close frame.
type Case = (&'static str, &'static [u8], u16);

const ECHO: &str = "/ws/echo";
const DASHBOARD: &str = "/ws/dashboard";

const CASES: [Case; 27] = [
    // A reserved bit.
    (ECHO, b"\xc1\x80\0\0\0\0", 1002),
    (ECHO, b"\xa1\x80\0\0\0\0", 1002),
    (ECHO, b"\x91\x80\0\0\0\0", 1002),
    (DASHBOARD, b"\xf1\x80\0\0\0\0", 1002),
    // A reserved opcode.
    (ECHO, b"\x83\x80\0\0\0\0", 1002),
    (ECHO, b"\x8b\x80\0\0\0\0", 1002),
    // Not masked.
    (ECHO, b"\x81\x02hi", 1002),
    (DASHBOARD, b"\x81\x02hi", 1002),
    // A control frame in fragments, and one that is too long.
    (ECHO, b"\x09\x80\0\0\0\0", 1002),
    (ECHO, b"\x89\xfe\0\x7e\0\0\0\0", 1002),
    (ECHO, b"\x88\xfe\0\x7e\0\0\0\0", 1002),
    // A continuation of nothing, and a message inside another.
    (ECHO, b"\x80\x81\0\0\0\0a", 1002),
    (ECHO, b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b", 1002),
    // Behind a message that is not answered yet.
    (ECHO, b"\x02\x81\0\0\0\0a\xf1\x80\0\0\0\0", 1002),
    // A close frame with half a code, and with a reason that is not UTF-8.
    (ECHO, b"\x88\x81\0\0\0\0\x03", 1002),
    (ECHO, b"\x88\x84\0\0\0\0\x03\xe8\xc3\x28", 1007),
    // Text that is not UTF-8: in one frame, cut short, in the second fragment, on the other route.
    (ECHO, b"\x81\x82\0\0\0\0\xc3\x28", 1007),
    (ECHO, b"\x81\x81\0\0\0\0\xc3", 1007),
    (ECHO, b"\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0\x28", 1007),
    (DASHBOARD, b"\x81\x82\0\0\0\0\xc3\x28", 1007),
    // One byte more than the limit, the largest length, and one that is no length.
    (ECHO, b"\x82\xfe\x03\xe9\0\0\0\0", 1009),
    (ECHO, b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1009),
    (ECHO, b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1009),
    // In two fragments that are each within the limit.
    (ECHO, b"\x02\x81\0\0\0\0a\x80\xfe\x03\xe8\0\0\0\0", 1009),
    (DASHBOARD, b"\x82\xfe\x10\x01\0\0\0\0", 1009),
    (DASHBOARD, b"\x09\x80\0\0\0\0", 1002),
    (DASHBOARD, b"\x88\x81\0\0\0\0\x03", 1002),
];

pub(crate) fn scenario() -> Scenario {
    scenario::cases(
        5,
        |config| Config { max_message: MAX_MESSAGE, ..config },
        || CASES.map(|(path, request, code)| (path, whole(request), code)).into(),
        |client, server, (path, request, code)| {
            client.upgrade(server.addr(), path)?;
            if *path == DASHBOARD {
                client.expect_text(br#"{"skipped":0,"#)?;
            }
            client.exchange(request, scenario::refusal(*code))?;
            client.expect_end()
        },
    )
}

/// With the payload of a control frame that is one byte too long, and of a last fragment.
fn whole(request: &[u8]) -> Vec<u8> {
    let payload = match request {
        [0x88 | 0x89, 0xfe, ..] => 126,
        [0x02, .., 0x80, 0xfe, _, _, 0, 0, 0, 0] => MAX_MESSAGE,
        _ => 0,
    };
    [request, &vec![0; payload]].concat()
}
