//! What an operation of a conversation allocates in the driver: nothing, so that it takes no time from the server.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Result;
use bench_kit::conversation::{Opener, Talk};
use conversation::Conversation;

/// Counts the blocks of each thread.
struct Counting;

thread_local! {
    static BLOCKS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BLOCKS.set(BLOCKS.get() + 1);
        // SAFETY: as demanded of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as demanded of the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Answers each frame of 20 bytes with a ping and, in two frames, its text.
fn serve(listener: &TcpListener) -> std::io::Result<()> {
    let mut stream = listener.accept()?.0;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    stream.write_all(UPGRADED)?;
    loop {
        let mut frame = [0; 20];
        stream.read_exact(&mut frame)?;
        let mut text: [u8; 14] = frame[6..].try_into().expect("there are as many");
        for (byte, mask) in text.iter_mut().zip(frame[2..6].iter().cycle()) {
            *byte ^= mask;
        }
        let answer = [b"\x89\x00\x01\x05", &text[..5], b"\x80\x09", &text[5..]].concat();
        stream.write_all(&answer)?;
        let mut pong = [0; 6];
        stream.read_exact(&mut pong)?;
    }
}

#[test]
fn an_operation_of_a_conversation_allocates_nothing() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    // The client leaves without a word.
    let serving = std::thread::spawn(move || serve(&listener).is_err());
    let talked = "[[exchange]]\nsend = 'ask {seq}'\nexpect = { contains = 'k {seq}' }";
    let conversation = Conversation::parse(talked, "file.toml")?;
    let mut talk = Talk::open(&conversation, &mut Opener::new(&conversation, None), addr)?;
    talk.operation()?;
    let before = BLOCKS.get();
    (0..100).try_for_each(|_| talk.operation())?;
    talk.expect_nothing()?;
    assert_eq!(BLOCKS.get() - before, 0);
    assert!(before > 0, "nothing is counted");
    drop(talk);
    assert!(serving.join().expect("it does not panic"));
    Ok(())
}
