//! `ws-server` in the sandbox of its unit, `deploy/systemd/ws-server.service`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Peer, Process, assert_echoes, client, closed, command, get, text, ws_server};

const ATTACKS: &str = include_str!("../../../benches/research/src/attacks/kinds.rs");
const IMAGE: &str = include_str!("../../../deploy/Containerfile");
const PAGE: &str = include_str!("../../../deploy/README.md");
const UNIT: &str = include_str!("../../../deploy/systemd/ws-server.service");

/// What `program` prints, if it is here and succeeds.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The system calls that the unit allows, if systemd is here to name those of its groups.
fn allowed() -> Option<BTreeSet<String>> {
    let listing = output("systemd-analyze", &["syscall-filter", "--no-pager"])?;
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut group = "";
    for line in listing.lines().filter(|line| !line.trim_start().starts_with('#')) {
        if line.starts_with('@') {
            group = line.trim_end();
        } else {
            groups.entry(group).or_default().extend(line.split_whitespace());
        }
    }
    let mut allowed = BTreeSet::new();
    for list in UNIT.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let (refused, list) = list.strip_prefix('~').map_or((false, list), |list| (true, list));
        let mut names: Vec<&str> = list.split(' ').collect();
        while let Some(name) = names.pop() {
            if let Some(group) = groups.get(name) {
                names.extend(group);
            } else if refused {
                allowed.remove(name);
            } else {
                allowed.insert(name.to_owned());
            }
        }
    }
    Some(allowed)
}

/// The system calls in a trace by strace after `program` was executed.
fn called(trace: &str, program: &str) -> BTreeSet<String> {
    let executed = format!("execve(\"{program}\"");
    let lines = trace.lines().skip_while(|line| !line.contains(&executed));
    let calls = lines.filter_map(|line| line.split_once(' ')?.1.trim_start().split_once('('));
    // The rest of a call that was interrupted begins with a bracket.
    calls.map(|(name, _)| name.to_owned()).filter(|name| !name.starts_with('<')).collect()
}

/// Without strace, systemd or the right to make a namespace, nothing is measured: `scripts/check-deploy.sh` says so, and
/// sets `PLIMSOLL_TRACED` where it found all of them.
#[test]
fn in_its_namespaces_the_server_makes_no_system_call_that_its_unit_refuses() {
    let namespaces = output("strace", &["-o", "/dev/null", "unshare", "--user", "--net", "true"]);
    let (Some(allowed), Some(_)) = (allowed(), &namespaces) else {
        let promised = std::env::var_os("PLIMSOLL_TRACED").is_some();
        assert!(
            !promised,
            "systemd names no calls, or strace and namespaces fail; the script saw both"
        );
        return eprintln!("not measured");
    };
    let folder = tempfile::tempdir().expect("there is room for a trace");
    let [trace, pid] = ["trace", "pid"].map(|name| folder.path().join(name));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = listener.local_addr().expect("a bound socket has an address");
    let mut command = command("strace");
    command.args(["-f", "-qq", "-o"]).arg(&trace).args(["unshare", "--user", "--net", "sh", "-c"]);
    let script = r#"echo $$ >"$PID"; exec 3<&0 </dev/null; export LISTEN_PID=$$; exec "$0""#;
    let program = env!("CARGO_BIN_EXE_ws-server");
    command.args([script, program]).env("PID", &pid).env("LISTEN_FDS", "1");
    command.stdin(Stdio::from(std::os::fd::OwnedFd::from(listener)));
    let mut process = Process::start(command);
    assert_eq!(process.announced(), addr);

    let mut session = client(addr, "/ws/echo");
    for message in ["small", &"large".repeat(10_000)] {
        assert_echoes(&mut session, message);
    }
    let mut subscriber = client(addr, "/ws/dashboard");
    for key in ["resident_bytes", "open_fds"] {
        let snapshot = text(&mut subscriber);
        assert!(!snapshot.contains(&format!("\"{key}\":null")), "{key}: {snapshot}");
    }
    for (path, status) in [("/", 200), ("/metrics", 200), ("/readyz", 200), ("/nothing", 404)] {
        assert_eq!(get(addr, path).status, status, "{path}");
    }
    drop(subscriber);
    let pid = fs::read_to_string(pid).expect("the shell wrote it");
    let pid = pid.trim().parse().ok().and_then(Pid::from_raw).expect(&pid);
    kill_process(pid, Signal::TERM).expect("the server is there");
    assert_eq!(closed(session), 1001);
    let (status, _, stderr) = process.ended();
    assert_eq!(status.code(), Some(0), "{stderr}");

    let called = called(&fs::read_to_string(&trace).expect("strace wrote it"), program);
    assert!(called.contains("accept4") && called.len() > 20, "this was traced: {called:?}");
    let refused: Vec<_> = called.difference(&allowed).collect();
    assert!(refused.is_empty(), "the unit refuses {refused:?}");
}

/// The flags of the image, and those that the page adds behind its name. A free port instead of the image's.
fn image_flags() -> Vec<String> {
    let entry = IMAGE.lines().find_map(|line| line.strip_prefix("ENTRYPOINT ")).expect(IMAGE);
    let entry: Vec<String> = serde_json::from_str(entry).expect(entry);
    let page = PAGE.lines().find_map(|line| line.trim().strip_prefix("localhost/ws-server "));
    let added = page.expect(PAGE).split(' ').map(str::to_owned);
    entry.into_iter().skip(1).chain(added).map(|word| word.replace(":9001", ":0")).collect()
}

/// With the image's program in `PLIMSOLL_IMAGE`, that one, in an empty root that it cannot write to.
#[test]
fn the_image_with_the_flags_of_its_page_serves_clients_that_have_the_token() {
    const TOKEN: &str = "3f9c1e0a7b5d48268f0e6c2d91ab734c";
    let root = tempfile::tempdir().expect("there is room for a root");
    let secrets = root.path().join("run/secrets");
    fs::create_dir_all(&secrets).expect("it is new");
    fs::write(secrets.join("token"), TOKEN).expect("it is new");
    fs::set_permissions(secrets.join("token"), Permissions::from_mode(0o600)).expect("it is ours");
    let mut flags = image_flags();
    let mut command = if let Some(program) = std::env::var_os("PLIMSOLL_IMAGE") {
        fs::copy(program, root.path().join("ws-server")).expect("the script built it");
        let script = r#"mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" &&
            exec unshare --user --root "$0" /ws-server "$@""#;
        let mut command = command("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]).arg(root.path());
        command
    } else {
        let outside = |word: &mut String| {
            *word = word.replace("/run", &format!("{}/run", root.path().display()))
        };
        flags.iter_mut().for_each(outside);
        ws_server()
    };
    command.args(flags);
    let mut process = Process::start(command);
    let addr = (Ipv4Addr::LOCALHOST, process.announced().port()).into();

    assert_eq!(get(addr, "/healthz").status, 200);
    let secret = format!("Authorization: Bearer {TOKEN}");
    for (more, status) in [("Accept: */*", 401), (secret.as_str(), 101)] {
        let upgrade = Peer::upgrade("/ws/echo");
        let ours = upgrade.lines().find(|line| line.starts_with("Host: ")).expect(&upgrade);
        let theirs = format!("Host: echo.example\r\nOrigin: https://echo.example\r\n{more}");
        let mut peer = Peer::connect(addr);
        peer.send(upgrade.replace(ours, &theirs).as_bytes());
        assert_eq!(peer.response().status, status, "{more}");
    }
    process.signal(Signal::TERM);
    let (status, _, stderr) = process.ended();
    assert_eq!(status.code(), Some(0), "{stderr}");
}

/// What the unit sets `key` to.
fn set(key: &str) -> u64 {
    let value = UNIT.lines().find_map(|line| line.strip_prefix(key)).expect(key);
    value.trim_end_matches('M').parse().expect(value)
}

#[test]
fn the_memory_of_the_unit_is_enough_for_peers_that_never_read_up_to_the_limit() {
    // Linux doubles both.
    let kernel = 2 * (server::socket::SEND_BUFFER + server::socket::RECEIVE_BUFFER) as u64 / 1024;
    // A fragment that fills the longest message, answers to pings up to the most that wait, and half as much again: a buffer
    // that doubles is copied from one of half its size, whose memory the process keeps.
    let echo = server::Config::default().echo();
    let message = echo.max_message_size.expect("a message has a limit") as u64;
    let answers = echo.max_write_buffer_size as u64;
    let process = (message + answers + answers / 2) / 1024;
    let kib = kernel + process;
    // No attack of `scripts/check-attacks.sh` may cost more for each peer.
    let costs = ATTACKS.split(".costs_at_most(").skip(1);
    let costs = costs.filter_map(|rest| rest.split_once(" * 1024)")?.0.parse::<u64>().ok());
    let most = costs.max().expect("attacks have a most that they cost");
    assert!(most <= kib, "an attack costs {most} KiB for each peer, not {kib}");
    let connections = 10_000 + 10_000 / 16;
    let mib = (connections * kib).div_ceil(1024);
    assert!(set("MemoryMax=") >= mib + 256, "{connections} peers of {kib} KiB cost {mib} MiB");
    for words in [
        format!("socket buffers of {kernel} KiB, and in the process {process} KiB of"),
        format!("costs {kib} KiB at most"),
        format!("{kib} KiB = {mib} MiB"),
    ] {
        assert!(UNIT.contains(&words), "the unit does not say: {words}");
    }
    let words = format!("peers that never read, {kib} KiB each");
    assert!(PAGE.contains(&words), "deploy/README.md does not say: {words}");
}

#[test]
fn systemd_waits_longer_than_the_drain_and_its_page_says_how_long() {
    let drain = server::Config::default().drain.as_secs();
    assert!(set("TimeoutStopSec=") > drain);
    assert!(set("LimitNOFILE=") / 10 * 8 >= 10_000);
    let watchdog = set("WatchdogSec=");
    for words in [
        format!("drains for at most {drain} s"),
        format!("Every {} s the watchdog", watchdog / 2),
        format!("After {watchdog} s without"),
    ] {
        assert!(PAGE.contains(&words), "deploy/README.md does not say: {words}");
    }
}
