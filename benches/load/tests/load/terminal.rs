//! What a terminal shows, and what a pipe gets instead.

use std::fs::{self, File};
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;

use bench_show::colour::plain;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::profile::Profile;
use crate::run::{Killed, Load, PROGRAM};
use crate::server::Server;

/// What `ws-load` shows in a terminal of so many columns, and its exit code.
fn on_terminal(columns: u16, args: &[&str]) -> (String, Option<i32>) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there is a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("it is ours");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name");
    let shown = open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("it is ours");
    let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&shown, size).expect("a terminal has a size");
    let mut command = Command::new(PROGRAM);
    command.args(args).stdin(Stdio::null()).env("TERM", "xterm").env_remove("NO_COLOR");
    command.stderr(shown.try_clone().expect("there is a descriptor")).stdout(shown);
    let mut child = Killed(command.spawn().expect("ws-load starts"));
    // Otherwise the terminal would stay open here.
    drop(command);
    let text = thread::spawn(move || {
        let mut text = Vec::new();
        // Linux ends the output of a closed terminal with an error.
        drop(File::from(terminal).read_to_end(&mut text));
        String::from_utf8(text).expect("it is text")
    });
    let status = child.0.wait().expect("it is ours");
    (text.join().expect("it does not panic"), status.code())
}

#[test]
fn progress_and_colours_fill_a_terminal_of_any_width() {
    let server = Server::echo();
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("test.toml");
    let profile = Profile { hold: "1200ms", ..Profile::default() };
    fs::write(&file, profile.to_string()).expect("the folder is ours");
    let file = file.to_str().expect("its name is text");
    for columns in [60, 140] {
        let (text, code) = on_terminal(columns, &["run", file, &server.url()]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("\x1b[1m\x1b[32m✓ PASS"), "{text}");
        let text = plain(&text);
        let lines = || text.split(['\r', '\n']).map(str::trim_end);
        let bar = lines().find(|line| line.starts_with("0:00 of 0:") && line.ends_with('─'));
        let bar = bar.unwrap_or_else(|| panic!("no bar in {text}"));
        assert_eq!(bar.chars().count(), usize::from(columns), "{text}");
        assert!(lines().any(|line| line.contains("no errors  ") && line.contains("/s")), "{text}");
    }
}

#[test]
fn a_verdict_is_coloured_on_request_and_a_pipe_gets_words_alone() {
    let server = Server::echo();
    let load = Load::new(Profile::default(), &server.url()).env("CLICOLOR_FORCE", "1");
    let run = load.run();
    run.check(0, &["\x1b[1m\x1b[32m✓ PASS\x1b[0m: test", "\x1b[32m✓ met\x1b[0m"]);
    let piped = Load::merge(&[&run]).run();
    piped.check(0, &["✓ PASS: test", "✓ met"]);
    assert!(!piped.text.contains('\x1b'), "{}", piped.text);
}
