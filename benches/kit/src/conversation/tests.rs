use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::*;

const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// For a server that never answers; how long it is does not matter.
const SHORT: Duration = Duration::from_millis(20);

/// The server's end of a connection.
struct Peer {
    stream: TcpStream,
    request: String,
}

impl Peer {
    fn accept(listener: &TcpListener, headers: &str) -> std::io::Result<Self> {
        let mut stream = listener.accept()?.0;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            request.push(byte[0]);
        }
        write!(stream, "{UPGRADED}{headers}\r\n")?;
        Ok(Self { stream, request: String::from_utf8_lossy(&request).into_owned() })
    }

    /// The opcode and the payload of the next frame, of less than 64 KiB.
    fn read(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        let mut header = [0; 2];
        self.stream.read_exact(&mut header)?;
        let mut len = usize::from(header[1] & 0x7f);
        if len == 126 {
            let mut long = [0; 2];
            self.stream.read_exact(&mut long)?;
            len = usize::from(u16::from_be_bytes(long));
        }
        let mut mask = [0; 4];
        self.stream.read_exact(&mut mask)?;
        let mut payload = vec![0; len];
        self.stream.read_exact(&mut payload)?;
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        Ok((header[0], payload))
    }

    fn frame(&mut self, first: u8, payload: &[u8]) -> std::io::Result<()> {
        let mut frame = conversation::frame::server(false, payload);
        frame[0] = first;
        self.stream.write_all(&frame)
    }

    /// Reads messages, and answers with what `answer` makes of each, until the client leaves.
    fn answer(&mut self, mut answer: impl FnMut(&[u8]) -> Vec<Vec<u8>>) -> std::io::Result<()> {
        loop {
            match self.read()? {
                (0x88, _) => return self.frame(0x88, &[3, 0xe8]),
                (first, message) => {
                    for text in answer(&message) {
                        self.frame(first, &text)?;
                    }
                }
            }
        }
    }
}

/// Holds a conversation with a server that does `serve` to each connection, in turn.
fn talk(
    file: &str,
    serve: impl FnMut(&mut Peer) -> std::io::Result<()> + Send,
    operations: usize,
) -> Result<()> {
    hold(file, "", serve, operations)
}

fn hold(
    file: &str,
    headers: &str,
    mut serve: impl FnMut(&mut Peer) -> std::io::Result<()> + Send,
    operations: usize,
) -> Result<()> {
    let conversation = Conversation::parse(file, "file.toml")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..conversation.connections {
                // The client ends the connection once it has found the fault.
                drop(Peer::accept(&listener, headers).and_then(|mut peer| serve(&mut peer)));
            }
        });
        let mut opener = Opener::new(&conversation, None);
        let mut talk = Talk::open(&conversation, &mut opener, addr)?;
        (0..operations).try_for_each(|_| talk.operation())?;
        talk.close()
    })
}

#[track_caller]
fn check(result: Result<()>, words: &[&str]) {
    let error = format!("{:#}", result.expect_err("it is wrong"));
    for words in words {
        assert!(error.contains(words), "no {words:?} in: {error}");
    }
}

const NUMBERED: &str = "[[exchange]]\nsend = 'ask {seq}'\nexpect = { contains = 'to {seq}' }";
const CONSTANT: &str = "[[exchange]]\nsend = 'ask'\nexpect = { prefix = 'yes' }";

fn reply(message: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(message).replace("ask", "reply to").into_bytes()
}

#[test]
fn a_server_that_answers_passes() -> Result<()> {
    talk(NUMBERED, |peer| peer.answer(|message| vec![reply(message)]), 50)?;
    talk("[[exchange]]\nsend = 'x'", |peer| peer.answer(|message| vec![message.to_vec()]), 50)?;
    let long = format!("[[exchange]]\nsend = '{}'\nbinary = true", "x".repeat(60_000));
    talk(&long, |peer| peer.answer(|message| vec![message.to_vec()]), 5)
}

#[test]
fn an_answer_to_the_previous_message_is_an_error() {
    let mut before = b"reply to 999".to_vec();
    let serve = |peer: &mut Peer| {
        peer.answer(|message| vec![std::mem::replace(&mut before, reply(message))])
    };
    let words = [
        "message 1: exchange 1: wanted a text that contains \"to 1000000000\"",
        "\"reply to 999\"",
    ];
    check(talk(NUMBERED, serve, 2), &words);
}

#[test]
fn a_server_that_answers_twice_is_an_error_although_each_answer_fits() {
    let serve = |peer: &mut Peer| peer.answer(|_| vec![b"yes".to_vec(), b"yes".to_vec()]);
    for operations in [1, 2, 50] {
        check(talk(CONSTANT, serve, operations), &["a message more than was expected", "\"yes\""]);
    }
}

#[test]
fn a_wrong_text_and_a_wrong_kind_are_errors_that_show_what_came() {
    let words = ["exchange 1: wanted a text that begins with \"yes\"; a text came: \"no\""];
    check(talk(CONSTANT, |peer| peer.answer(|_| vec![b"no".to_vec()]), 1), &words);
    let binary = |peer: &mut Peer| {
        peer.read()?;
        peer.frame(0x82, b"yes")
    };
    check(talk(CONSTANT, binary, 1), &["a binary message came: \"yes\""]);
}

#[test]
fn the_last_of_several_messages_decides_and_none_may_be_missing() -> Result<()> {
    let three = "[[exchange]]\nsend = 'x'\nexpect = { frames = 3, exact = 'c' }";
    let answers = |texts: &'static str| {
        move |peer: &mut Peer| {
            peer.answer(|_| texts.chars().map(|text| text.to_string().into_bytes()).collect())
        }
    };
    talk(three, answers("abc"), 5)?;
    check(talk(three, answers("abcc"), 1), &["a message more than was expected"]);
    check(talk(three, answers("cba"), 1), &["wanted a text \"c\"; a text came: \"a\""]);
    let two_and_gone = |peer: &mut Peer| {
        peer.read()?;
        peer.frame(0x81, b"a")?;
        peer.frame(0x81, b"b")
    };
    check(talk(three, two_and_gone, 1), &["after 2 of 3 messages", "the stream ended"]);
    Ok(())
}

#[test]
fn a_server_that_answers_the_first_connection_alone_is_an_error_that_names_the_second() {
    let conversation = "connections = 2\n[[exchange]]\nsend = 'x'";
    let mut asked = Vec::new();
    let serve = |peer: &mut Peer| {
        asked.push(peer.stream.try_clone()?);
        if let [first, _] = &asked[..] {
            let mut first = Peer { stream: first.try_clone()?, request: String::new() };
            let (_, message) = first.read()?;
            first.frame(0x81, &message)?;
            peer.frame(0x88, b"\x03\xf0full")?;
        }
        Ok(())
    };
    let words = ["connection 2 of 2: exchange 1", "closed the connection: code 1008, \"full\""];
    check(talk(conversation, serve, 1), &words);
}

#[test]
fn a_message_too_many_on_any_connection_is_an_error() {
    let conversation = "connections = 2\n[[exchange]]\nsend = 'x'\nexpect = { exact = 'y' }";
    let said = |texts: [usize; 2]| {
        let mut first = None;
        talk(
            conversation,
            move |peer| {
                let Some(mut first) = first.take() else {
                    first = Some(peer.stream.try_clone()?);
                    return Ok(());
                };
                let mut frame = [0; 7];
                for _ in 0..3 {
                    first.read_exact(&mut frame)?;
                    for (stream, texts) in [&mut first, &mut peer.stream].into_iter().zip(texts) {
                        stream.write_all(&b"\x81\x01y".repeat(texts))?;
                    }
                }
                // The client has found the fault, or has left.
                std::io::copy(&mut peer.stream, &mut std::io::sink()).map(drop)
            },
            3,
        )
    };
    said([1, 1]).expect("each gets one");
    check(said([2, 1]), &["a message more than was expected", "on connection 1 of 2"]);
    check(said([1, 2]), &["a message more than was expected", "on connection 2 of 2"]);
}

#[test]
fn a_silent_server_is_an_error_with_the_text_that_was_wanted() -> Result<()> {
    let conversation = Conversation::parse(NUMBERED, "file.toml")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let mut peer = Peer::accept(&listener, "")?;
            // Pings do not count as progress.
            while peer.frame(0x89, b"are you there").is_ok() {}
            std::io::Result::Ok(())
        });
        let mut opener = Opener::new(&conversation, None).patient(SHORT);
        let mut talk = Talk::open(&conversation, &mut opener, addr)?;
        let words = ["wanted a text that contains \"to 1000000000\"", "no whole message within"];
        check(talk.operation(), &words);
        drop(talk);
        serving.join().expect("it does not panic").context("the server failed")
    })
}

#[test]
fn steps_of_open_are_done_once_and_their_answers_demanded() -> Result<()> {
    let file = "open = [{ expect = { prefix = 'hello' } }, { send = 'join {seq}', expect = { exact = 'joined {seq}' } }]\n\
         [[exchange]]\nsend = 'x'";
    let greet = |greeting: &'static str| {
        move |peer: &mut Peer| {
            peer.frame(0x81, greeting.as_bytes())?;
            peer.answer(|message| {
                vec![String::from_utf8_lossy(message).replace("join", "joined").into_bytes()]
            })
        }
    };
    talk(file, greet("hello you"), 3)?;
    check(talk(file, greet("go away"), 0), &["open step 1", "\"hello\"", "\"go away\""]);
    Ok(())
}

#[test]
fn pings_are_answered_and_fragments_are_one_message() -> Result<()> {
    let serve = |peer: &mut Peer| {
        peer.read()?;
        peer.frame(0x89, b"p")?;
        peer.frame(0x01, b"ye")?;
        peer.frame(0x8a, b"")?;
        peer.frame(0x89, b"q")?;
        peer.frame(0x00, b"s")?;
        peer.frame(0x80, &[b'!'; 70_000])?;
        assert_eq!(peer.read()?, (0x8a, b"p".to_vec()));
        assert_eq!(peer.read()?, (0x8a, b"q".to_vec()));
        peer.answer(|_| Vec::new())
    };
    talk(CONSTANT, serve, 1)
}

#[test]
fn the_upgrade_has_the_path_the_headers_and_the_subprotocol_of_the_file() {
    let file = "path = '/rpc'\nsubprotocol = 'v1'\nheaders = { x-room = 'blue' }\n[[exchange]]\nsend = 'x'";
    let mut request = String::new();
    let mut serve = |peer: &mut Peer| {
        request.clone_from(&peer.request);
        peer.answer(|message| vec![message.to_vec()])
    };
    let protocol = "Sec-WebSocket-Protocol: v1\r\n";
    hold(file, protocol, &mut serve, 1).expect("it answers");
    for line in ["GET /rpc HTTP/1.1\r\n", "x-room: blue\r\n", protocol] {
        assert!(request.contains(line), "{request}");
    }
    check(talk(file, |_| Ok(()), 1), &["the subprotocol (none) instead of v1"]);
}
