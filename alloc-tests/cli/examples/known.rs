//! A WebSocket server whose costs are known, for the tests of `count`: `known PORT [FAULT [FILE]]`.
//!
//! A connection has a thread. A message of up to 125 bytes comes back from the stack: it costs no block. Each fault adds
//! what its name says.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::io::{ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How often it was started with the same file, for `varies`.
static STARTS: AtomicU64 = AtomicU64::new(0);

/// The answer to the key that our client always sends.
const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

const CLOSE: u8 = 0x88;

unsafe extern "C" {
    fn fork() -> c_int;
    fn preadv2(fd: c_int, parts: *const Part, number: c_int, offset: i64, flags: c_int) -> isize;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(status: c_int) -> !;
}

#[repr(C)]
struct Part {
    begin: *mut c_void,
    len: usize,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 =
        arguments.next().unwrap_or_default().parse().expect("the first argument is a port");
    let fault: &'static str = arguments.next().unwrap_or_default().leak();
    match fault {
        "ends" => {
            eprintln!("no configuration in /etc/known.toml");
            std::process::exit(3);
        }
        "deaf" => loop {
            thread::park();
        },
        "varies" => {
            let file = arguments.next().expect("the third argument is a file");
            let starts = std::fs::read(&file).map_or(0, |starts| starts.len()) + 1;
            std::fs::write(file, vec![b'1'; starts])?;
            STARTS.store(starts as u64, Ordering::Relaxed);
        }
        // A program that is not counted, as it is static.
        "helped" => {
            let helper = arguments.next().expect("the third argument is a program");
            std::process::Command::new(helper).args(["0", "deaf"]).spawn()?;
        }
        _ => {}
    }
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    if fault == "ticks" {
        thread::spawn(|| {
            loop {
                thread::sleep(Duration::from_millis(30));
                drop(black_box(vec![0_u8; 700]));
            }
        });
    }
    let workers = if fault == "workers" { 4 } else { 1 };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| accept(&listener, fault));
        }
    });
    Ok(())
}

fn accept(listener: &TcpListener, fault: &'static str) {
    for stream in listener.incoming().flatten() {
        match fault {
            "forks" => forked(stream),
            _ => drop(thread::spawn(move || end(serve(stream, fault)))),
        }
    }
}

/// Serves in a process of its own, and takes back those that have ended.
fn forked(stream: TcpStream) {
    // SAFETY: one thread accepts, so no lock is held by another.
    unsafe {
        if fork() == 0 {
            end(serve(stream, ""));
            _exit(0);
        }
        let mut status = 0;
        while waitpid(-1, &mut status, 1) > 0 {}
    }
}

fn serve(mut stream: TcpStream, fault: &str) -> Result<()> {
    stream.set_nodelay(true)?;
    let (mut request, mut len) = ([0; 2048], 0);
    while !request[..len].ends_with(b"\r\n\r\n") {
        len += filled(stream.read(&mut request[len..])?)?;
    }
    if fault == "refuses" {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    stream.write_all(UPGRADED)?;
    // Three blocks of a connection, which it holds: 1000 bytes.
    let held = black_box([vec![1_u8; 500], vec![1; 300], vec![1; 200]]);
    let mut frame = [0; 256];
    loop {
        let len = filled(if fault == "hides" {
            hidden_read(&stream, &mut frame)?
        } else {
            stream.read(&mut frame)?
        })?;
        let (head, payload) = frame[..len].split_at_mut(6);
        let mask: [u8; 4] = head[2..].try_into().expect("a mask has four bytes");
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        let payload_len = payload.len();
        let answer = [head[0], head[1] & 0x7f];
        head[4..].copy_from_slice(&answer);
        misbehave(fault, &mut frame[6..6 + payload_len]);
        stream.write_all(&frame[4..6 + payload_len])?;
        if frame[0] == CLOSE {
            drop(held);
            return Ok(());
        }
    }
}

/// What the fault costs for each message.
fn misbehave(fault: &str, payload: &mut [u8]) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    match fault {
        "leaks" => std::mem::forget(black_box(vec![1_u8; 100])),
        "copies" => (0..3).for_each(|_| drop(black_box(payload.to_vec()))),
        "sometimes" if number.is_multiple_of(50) => drop(black_box(vec![1_u8; 100])),
        "varies" => {
            (0..STARTS.load(Ordering::Relaxed)).for_each(|_| drop(black_box(vec![1_u8; 10])))
        }
        "garbles" => payload[0] ^= 1,
        _ => {}
    }
}

/// A read by a function that the library does not replace.
fn hidden_read(stream: &TcpStream, buffer: &mut [u8]) -> Result<usize> {
    use std::os::fd::AsRawFd;
    let part = Part { begin: buffer.as_mut_ptr().cast(), len: buffer.len() };
    // SAFETY: the part is the buffer.
    let read = unsafe { preadv2(stream.as_raw_fd(), &part, 1, -1, 0) };
    usize::try_from(read).map_err(|_| std::io::Error::last_os_error())
}

fn filled(read: usize) -> Result<usize> {
    if read == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
}

/// A peer that has gone ends its connection alone.
fn end(served: Result<()>) {
    if let Err(error) = served
        && error.kind() != ErrorKind::UnexpectedEof
    {
        eprintln!("a connection ended: {error}");
    }
}
