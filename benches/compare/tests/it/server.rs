//! A server that is started by its own command line.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use bench_kit::random::SplitMix64;
use compare::server_process::{Program, ServerProcess, ServerSettings};

#[test]
fn a_server_with_a_command_line_gets_a_port_one_worker_and_the_folder_of_its_workspace() {
    let folder = tempfile::Builder::new().prefix("a b").tempdir().expect("there is room");
    let bin = folder.path().join("serve");
    let script = "#!/bin/sh\necho \"$TOKIO_WORKER_THREADS|$PORT|$1|$2|$PWD\" >&2; exit 7\n";
    fs::write(&bin, script).expect("there is room");
    fs::set_permissions(&bin, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let line = "PORT={port} {bin} 'two words' {port}".parse().expect("it is one");
    let program = Program::Own { bin, line, folder: folder.path().to_owned() };
    let settings = ServerSettings::default();
    let error = ServerProcess::start("head", &program, &settings, &mut SplitMix64::new(1));
    let error = error.expect_err("it ends").to_string();
    assert!(error.starts_with("head ended before it served (exit status: 7)"), "{error}");
    let said: Vec<&str> = error.lines().last().expect("it has lines").split('|').collect();
    let [workers, variable, words, port, place] = said[..] else { panic!("{error}") };
    assert_eq!((workers, words, variable), ("1", "two words", port));
    assert!(port.parse::<u16>().is_ok_and(|port| port != 0), "{error}");
    assert_eq!(place, folder.path().to_string_lossy());
}
