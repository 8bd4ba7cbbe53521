//! `ws-compare compare` as its users meet it when something is wrong with what they compare: real processes, bad manners.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output};

/// The answer to the one key that the driver uses (RFC 6455 §1.3).
const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// How a server misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manners {
    Good,
    Lies,
    Dies,
}

/// Not tests but servers: this program starts itself again, as the command that is compared.
mod servers {
    use super::*;

    #[test]
    #[ignore = "a server, started by the tests"]
    fn good() {
        serve(Manners::Good);
    }

    #[test]
    #[ignore = "a server, started by the tests"]
    fn lies() {
        serve(Manners::Lies);
    }

    #[test]
    #[ignore = "a server, started by the tests"]
    fn dies() {
        serve(Manners::Dies);
    }
}

fn serve(manners: Manners) {
    let port = std::env::var("ECHO_PORT").expect("the command sets it");
    let port = port.parse().expect("it is a number");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port was free");
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || drop(echo(stream, manners)));
    }
}

/// Upgrades whatever ends in an empty line, and sends text messages of up to 125 bytes back.
fn echo(mut stream: TcpStream, manners: Manners) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    stream.write_all(UPGRADED)?;
    for message in 1.. {
        let mut header = [0; 6];
        stream.read_exact(&mut header)?;
        let mut frame = vec![0; 2 + usize::from(header[1] & 0x7f)];
        stream.read_exact(&mut frame[2..])?;
        for (byte, mask) in frame[2..].iter_mut().zip(header[2..].iter().cycle()) {
            *byte ^= mask;
        }
        (frame[0], frame[1]) = (header[0], header[1] & 0x7f);
        match manners {
            Manners::Lies if message == 500 => frame[9] ^= 1,
            Manners::Dies if message == 500 => {
                eprintln!("out of rope");
                std::process::exit(7);
            }
            _ => {}
        }
        stream.write_all(&frame)?;
    }
    Ok(())
}

/// The command that starts a server of this program.
fn command(name: &str) -> String {
    let program = std::env::current_exe().expect("a running test has a program");
    format!(
        "ECHO_PORT={{port}} exec '{}' --ignored --nocapture --exact servers::{name}",
        program.display()
    )
}

fn compare(arguments: &[&str]) -> Output {
    let mut compare = Command::new(env!("CARGO_BIN_EXE_ws-compare"));
    compare.arg("compare").args(arguments).output().expect("ws-compare starts")
}

/// Good against `head`, on the one row that these servers can serve.
fn against(head: &str) -> Output {
    let only = ["--only", "echo_latency/text/64B"];
    compare(&[&["--base-cmd", &command("good"), "--head-cmd", head], &only[..]].concat())
}

#[track_caller]
fn check(output: &Output, code: i32, words: &[&str]) {
    let text =
        String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    for words in words {
        assert!(text.contains(words), "no {words:?} in: {text}");
    }
}

#[test]
fn a_server_that_lies_is_no_regression_but_an_error_with_its_name() {
    check(&against(&command("lies")), 1, &["head did not answer as it should", "wrong answer"]);
}

#[test]
fn a_server_that_dies_in_the_middle_is_named_with_its_last_words() {
    check(
        &against(&command("dies")),
        1,
        &["head ended in the middle", "exit status: 7", "out of rope"],
    );
}

#[test]
fn a_command_that_ends_before_it_serves_is_quoted() {
    let taken = "echo 'port {port} is taken' >&2; exit 98";
    check(&against(taken), 1, &["head ended before it served", "exit status: 98", "is taken"]);
}

#[test]
fn a_program_that_is_no_server_is_told_from_one_that_regressed() {
    let output = compare(&["--base-bin", "/bin/echo", "--head-bin", "/bin/echo"]);
    check(&output, 1, &["did not say where it listens", "--base-cmd"]);
}

#[test]
fn two_servers_that_echo_are_compared_and_only_that() {
    let good = command("good");
    let only = ["--only", "echo_latency/text/64B", "--format", "json"];
    let output = compare(&[&["--base-cmd", &good, "--head-cmd", &good], &only[..]].concat());
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("the report is JSON");
    let text = report.to_string();
    assert!(text.contains("echo_latency/text/64B"), "{text}");
    assert!(!text.contains("fanout_cpu"), "{text}");
    // Whatever it makes of the timings of a debug build: it could measure.
    assert_ne!(output.status.code(), Some(1), "{text}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_built() {
    check(&compare(&[]), 2, &["BASE"]);
    check(&compare(&["main", "--base-bin", "x"]), 2, &["cannot be used with"]);
    check(&compare(&["--base-bin", "x"]), 2, &["--head-bin"]);
    check(&compare(&["main", "--threshold", "0"]), 2, &["from 0.1 to 100"]);
    check(&compare(&["main", "--path", "ws/echo"]), 2, &["begins with /"]);
    check(&compare(&["--base-cmd", "serve", "--head-cmd", "serve"]), 2, &["{port}"]);
    check(&compare(&["--base-bin", "/nowhere", "--head-bin", "/nowhere"]), 1, &["there is no"]);
    // Names the revision, or says that this is no repository.
    check(&compare(&["no-such-revision"]), 1, &["revision"]);
    check(
        &compare(&["HEAD", "--only", "nothing", "--html", "/nowhere/page.html"]),
        1,
        &["cannot write /nowhere/page.html"],
    );
}
