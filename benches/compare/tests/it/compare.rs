//! `ws-compare compare` as a process, against servers that misbehave.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output};

/// The answer to the fixed key of the driver (RFC 6455 §1.3).
const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What a server does with message 50, which every connection gets, however slow the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    WrongAnswer,
    Exit,
    /// Exits, and says how it was scheduled.
    Policy,
}

/// Servers rather than tests: the commands under comparison start this program again.
mod servers {
    use super::*;

    #[test]
    #[ignore = "a server, started by the tests"]
    fn correct() {
        serve(Fault::None);
    }

    #[test]
    #[ignore = "a server, started by the tests"]
    fn wrong_answer() {
        serve(Fault::WrongAnswer);
    }

    #[test]
    #[ignore = "a server, started by the tests"]
    fn policy() {
        serve(Fault::Policy);
    }

    #[test]
    #[ignore = "a server, started by the tests"]
    fn exit() {
        serve(Fault::Exit);
    }
}

/// Field 41 of this process's `stat`, which is the 39th behind its name; see `proc_pid_stat(5)`.
fn policy() -> String {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let behind = stat.rsplit_once(')').expect("the name is in parentheses").1;
    behind.split_ascii_whitespace().nth(38).expect("it has that many").to_owned()
}

fn serve(fault: Fault) {
    let port = std::env::var("ECHO_PORT").expect("the command sets it");
    let port = port.parse().expect("it is a number");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port was free");
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || drop(echo(stream, fault)));
    }
}

/// Accepts any upgrade request, and echoes text messages of up to 125 bytes, or answers them as the command says.
fn echo(mut stream: TcpStream, fault: Fault) -> std::io::Result<()> {
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
        match fault {
            Fault::WrongAnswer if message == 50 => frame[9] ^= 1,
            Fault::Policy if message == 50 => {
                eprintln!("scheduled with policy {}", policy());
                std::process::exit(7);
            }
            Fault::Exit if message == 50 => {
                eprintln!("out of rope");
                std::process::exit(7);
            }
            _ => {}
        }
        match std::env::var("ANSWERS") {
            Ok(answers) => stream.write_all(&answer(&frame, &answers))?,
            Err(_) => stream.write_all(&frame)?,
        }
        if frame[0] == 0x88 {
            break;
        }
    }
    Ok(())
}

/// The frames that answer a frame: close frames come back, and each of `answers` is a text, with the message for `*`.
fn answer(frame: &[u8], answers: &str) -> Vec<u8> {
    if frame[0] == 0x88 {
        return frame.to_vec();
    }
    let message = str::from_utf8(&frame[2..]).expect("it is text");
    let texts = answers.split(',').map(|text| text.replace('*', message));
    texts.flat_map(|text| [&[0x81, text.len() as u8], text.as_bytes()].concat()).collect()
}

/// The command that starts a server in this program.
pub(crate) fn command(name: &str) -> String {
    let program = std::env::current_exe().expect("a running test has a program");
    format!(
        "ECHO_PORT={{port}} exec '{}' --ignored --nocapture --exact compare::servers::{name}",
        program.display()
    )
}

pub(crate) fn compare(arguments: &[&str]) -> Output {
    let mut compare = Command::new(env!("CARGO_BIN_EXE_ws-compare"));
    compare.arg("compare").args(arguments).output().expect("ws-compare starts")
}

/// A correct server against `head`.
fn against(head: &str) -> Output {
    on("echo_latency/text/64B", head)
}

fn on(row: &str, head: &str) -> Output {
    compare(&["--base-cmd", &command("correct"), "--head-cmd", head, "--only", row])
}

#[track_caller]
pub(crate) fn check(output: &Output, code: i32, words: &[&str]) {
    let text =
        String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    for words in words {
        assert!(text.contains(words), "no {words:?} in: {text}");
    }
}

#[test]
fn a_wrong_answer_is_an_error_that_names_the_server() {
    check(&against(&command("wrong_answer")), 1, &["head gave a wrong answer", "wrong answer: 0x"]);
}

#[test]
fn a_server_that_exits_during_the_measurement_is_named_and_its_stderr_quoted() {
    check(
        &against(&command("exit")),
        1,
        &["head ended during the measurement", "exit status: 7", "out of rope"],
    );
}

/// 3 is `SCHED_BATCH`, 0 is `SCHED_OTHER`.
#[test]
fn servers_that_share_the_drivers_core_are_scheduled_as_batch_and_others_are_not() {
    let scheduled = command("policy");
    let row = "echo_latency/text/64B";
    check(&on(row, &scheduled), 1, &["scheduled with policy 3"]);
    check(&on("echo_throughput", &scheduled), 1, &["scheduled with policy 0"]);
}

#[test]
fn a_command_that_ends_before_it_serves_has_its_stderr_quoted() {
    let taken = "echo 'port {port} is taken' >&2; exit 98";
    check(&against(taken), 1, &["head ended before it served", "exit status: 98", "is taken"]);
}

#[test]
fn a_program_that_is_not_a_server_is_an_error() {
    let output = compare(&["--base-bin", "/bin/echo", "--head-bin", "/bin/echo"]);
    check(&output, 1, &[" printed \"", "--base-cmd"]);
}

#[test]
fn two_commands_are_compared_by_their_echo_alone() {
    let correct = command("correct");
    let only = ["--only", "echo_latency/text/64B", "--format", "json"];
    let output = compare(&[&["--base-cmd", &correct, "--head-cmd", &correct], &only[..]].concat());
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("the report is JSON");
    let text = report.to_string();
    assert!(text.contains("echo_latency/text/64B"), "{text}");
    assert!(!text.contains("fanout_cpu"), "{text}");
    // The verdict on a debug build does not matter here, only that there is one.
    assert_ne!(output.status.code(), Some(1), "{text}");
}

#[test]
fn contradicting_arguments_are_refused_before_a_build() {
    check(&compare(&[]), 2, &["BASE"]);
    check(&compare(&["main", "--base-bin", "x"]), 2, &["cannot be used with"]);
    check(&compare(&["--base-bin", "x"]), 2, &["--head-bin"]);
    check(&compare(&["main", "--threshold", "0"]), 2, &["from 0.1 to 100"]);
    check(&compare(&["main", "--path", "ws/echo"]), 2, &["begins with /"]);
    check(&compare(&["--base-cmd", "serve", "--head-cmd", "serve"]), 2, &["{port}"]);
    check(&compare(&["--base-bin", "/nowhere", "--head-bin", "/nowhere"]), 1, &["there is no"]);
    // The message names the revision, or says that there is no repository.
    check(&compare(&["no-such-revision"]), 1, &["revision"]);
    check(
        &compare(&["HEAD", "--only", "nothing", "--html", "/nowhere/page.html"]),
        1,
        &["cannot write /nowhere/page.html"],
    );
}
