//! `ws-server` as an operator starts and stops it.

use std::io::BufRead;
use std::net::TcpListener;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Peer, Process, client, closed, command, get, text, ws_server};

#[test]
fn a_signal_drains_ws_server_which_exits_0_and_prints_one_line() {
    for (signal, workers) in [(Signal::TERM, "1"), (Signal::INT, "2")] {
        let (process, addr) = Process::listening(&["--workers", workers]);
        let session = client(addr, "/ws/echo");
        process.signal(signal);
        assert_eq!(closed(session), 1001);
        let (status, stdout, stderr) = process.ended();
        assert_eq!(status.code(), Some(0), "{stderr}");
        assert_eq!(stdout, "", "the address is the only line");
        assert!(stderr.contains("drained=true"), "{stderr}");
    }
}

#[test]
fn ws_server_serves_the_page_and_measures_its_allocations_and_process() {
    let (process, addr) = Process::listening(&[]);
    let page = get(addr, "/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("/page/main.js"));

    let snapshot = text(&mut client(addr, "/ws/dashboard"));
    let snapshot: Value = serde_json::from_str(&snapshot).expect("a snapshot is JSON");
    let allocations = &snapshot["allocations"];
    for name in ["total_blocks", "total_bytes", "remaining_blocks", "remaining_bytes"] {
        assert!(allocations[name].as_u64().is_some_and(|count| count > 0), "{allocations}");
    }
    assert!(allocations["blocks_per_s"].is_number());

    for name in ["resident_bytes", "cpu_ns"] {
        assert!(snapshot["process"][name].as_u64().is_some_and(|count| count > 0), "{snapshot}");
    }
    let open = &snapshot["process"]["open_fds"];
    assert!(open.is_null() || open.as_u64().is_some_and(|count| count > 3), "{open}");

    let metrics = get(addr, "/metrics").body;
    let allocated =
        ["allocated_blocks_total", "allocated_bytes_total", "live_blocks", "live_bytes"];
    let system = ["process_resident_memory_bytes", "process_cpu_seconds_total"];
    for name in allocated.into_iter().chain(system) {
        assert!(metrics.lines().any(|line| line.starts_with(&format!("{name} "))), "{metrics}");
    }
    process.signal(Signal::TERM);
    assert_eq!(process.ended().0.code(), Some(0));
}

#[test]
fn snapshots_keep_coming_in_real_time() {
    let (_process, addr) = Process::listening(&["--tick-ms", "1"]);
    let mut subscriber = client(addr, "/ws/dashboard");
    let mut seen = 0;
    for _ in 0..20 {
        let snapshot: Value = serde_json::from_str(&text(&mut subscriber)).expect("JSON");
        let [seq, skipped] =
            ["seq", "skipped"].map(|key| snapshot[key].as_u64().expect("a number"));
        assert!(seen == 0 || seq == seen + 1 + skipped);
        seen = seq;
    }
}

#[test]
fn a_taken_port_is_exit_1_and_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = taken.local_addr().expect("a bound socket has an address").to_string();
    let mut command = ws_server();
    command.args(["--bind", &addr]);
    let (status, stdout, stderr) = Process::start(command).ended();
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains(&addr) && stderr.contains("--bind"), "{stderr}");
}

#[test]
fn wrong_usage_is_exit_2_in_one_line() {
    let wrong = [
        &["--unknown"][..],
        &["--bind", "nowhere"],
        &["--max-message", "-1"],
        &["--max-message", "124"],
        &["--max-message", "16777217"],
        &["--workers", "0"],
        &["--max-connections", "0"],
        &["--tick-ms", "0"],
        &["--insecure", "--insecure"],
        &["argument"],
        &["--allow-origin", "a.example"],
        &["--allow-host", "a:1"],
    ];
    for flags in wrong {
        let mut command = ws_server();
        command.args(flags);
        let (status, stdout, stderr) = Process::start(command).ended();
        assert_eq!((status.code(), stdout.as_str()), (Some(2), ""), "{flags:?}");
        assert!(stderr.contains("; ws-server --help says"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let wrong = flags.last().expect("there is one");
        assert!(stderr.contains(wrong), "{stderr}");
    }
}

#[test]
fn every_help_fits_80_columns() {
    for flag in ["-h", "--help"] {
        let mut command = ws_server();
        command.arg(flag);
        let (status, help, stderr) = Process::start(command).ended();
        assert!(status.success() && help.contains("--bind"), "{help}{stderr}");
        let wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "wider than 80 columns: {wide:#?}");
    }
}

#[test]
fn a_drain_that_runs_out_is_exit_1() {
    let (process, addr) = Process::listening(&["--drain-s", "0"]);
    let _session = Peer::upgraded(addr, "/ws/echo");
    process.signal(Signal::TERM);
    let (status, _, stderr) = process.ended();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("drained=false"), "{stderr}");
}

#[test]
fn a_second_signal_ends_ws_server_at_once() {
    let (process, addr) = Process::listening(&["--drain-s", "3600"]);
    let session = client(addr, "/ws/echo");
    // Keeps the drain waiting for the rest of its request.
    let mut asking = Peer::connect(addr);
    asking.send(b"GET /healthz HTTP/1.1\r\n");
    assert_eq!(get(addr, "/healthz").status, 200);
    process.signal(Signal::TERM);
    assert_eq!(closed(session), 1001);
    process.signal(Signal::TERM);
    let (status, _, stderr) = process.ended();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("second signal"), "{stderr}");
}

#[test]
fn a_lack_of_descriptors_is_survived() {
    let mut command = command("sh");
    let script = r#"ulimit -n 40 && exec "$0" --bind 127.0.0.1:0"#;
    command.args(["-c", script, env!("CARGO_BIN_EXE_ws-server")]);
    let mut process = Process::start(command);
    let addr = process.announced();
    let crowd: Vec<_> = (0..60).map(|_| Peer::connect(addr)).collect();
    let mut line = String::new();
    while !line.contains("cannot accept") {
        line.clear();
        assert_ne!(
            process.stderr.read_line(&mut line).expect("stderr is text"),
            0,
            "ws-server ended"
        );
    }
    drop(crowd);
    let metrics = get(addr, "/metrics").body;
    let sample = r#"ws_errors_total{kind="accept"} "#;
    let count = metrics.lines().find_map(|line| line.strip_prefix(sample)).expect(&metrics);
    assert!(count.parse::<u64>().expect("a count") > 0);
    process.signal(Signal::TERM);
    assert_eq!(process.ended().0.code(), Some(0));
}
