//! What `/proc` tells about processes and sockets. The parsers are pure.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// The processes that hold a socket that listens on `port`.
pub(super) fn listening_on(port: u16) -> Result<Vec<u32>> {
    let mut inodes = BTreeSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        // A kernel without IPv6 has no second table.
        inodes.extend(listeners(&fs::read_to_string(table).unwrap_or_default(), port));
    }
    let holds = |pid: &u32| {
        let links = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        // A descriptor may be closed while they are listed.
        let mut links = links.flat_map(|link| fs::read_link(link.path()));
        links.any(|link| {
            socket_inode(&link.to_string_lossy()).is_some_and(|at| inodes.contains(&at))
        })
    };
    Ok(all()?.into_iter().filter(holds).collect())
}

/// All processes.
pub(super) fn all() -> Result<Vec<u32>> {
    let entries = fs::read_dir("/proc").context("cannot list processes; mount /proc")?;
    let pids = entries.flatten().filter_map(|entry| number(entry.file_name().to_str()?, 10));
    Ok(pids.map(|pid| pid as u32).collect())
}

/// Whether `line` is in the environment that the process was started with.
pub(super) fn was_started_with(pid: u32, line: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == line.as_bytes())
}

/// Whether every thread of the process waits, or the process has ended.
pub(super) fn sleeps(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let states = threads.map(|thread| fs::read_to_string(thread.path().join("stat")));
    states.flatten().all(|stat| !matches!(state(&stat), Some('R' | 'D')))
}

/// Whether the process runs: it is neither gone nor a zombie.
pub(super) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !matches!(state(&stat), None | Some('Z' | 'X')))
}

/// The process's group.
pub(super) fn group(pid: u32) -> Option<u32> {
    relative(pid, 2)
}

/// Whether `ancestor` has started the process, or a process that has.
pub(super) fn descends(pid: u32, ancestor: u32) -> bool {
    let parents = std::iter::successors(relative(pid, 1), |pid| relative(*pid, 1));
    // No process has more ancestors, but ids may be reused while they are read.
    parents.take(1000).any(|parent| parent == ancestor)
}

/// The word `at` of a process's `stat` file, behind its state.
fn relative(pid: u32, at: usize) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    number(behind_name(&stat)?.split(' ').nth(at)?, 10).map(|pid| pid as u32)
}

/// The name of its program.
pub(super) fn name(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// The files that the process has mapped, as `/proc` names them.
pub(super) fn mapped(pid: u32) -> Result<BTreeSet<PathBuf>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"));
    Ok(files(&maps.with_context(|| format!("cannot read /proc/{pid}/maps"))?))
}

/// The inodes of the sockets in `table`, as in `/proc/net/tcp`, that listen on `port`.
fn listeners(table: &str, port: u16) -> impl Iterator<Item = u64> {
    table.lines().skip(1).filter_map(move |line| {
        let mut words = line.split_ascii_whitespace();
        let (_, local) = words.nth(1)?.rsplit_once(':')?;
        let listens = words.nth(1)? == "0A";
        let inode = number(words.nth(5)?, 10)?;
        (listens && number(local, 16) == Some(u64::from(port))).then_some(inode)
    })
}

fn socket_inode(link: &str) -> Option<u64> {
    number(link.strip_prefix("socket:[")?.strip_suffix(']')?, 10)
}

fn number(digits: &str, base: u32) -> Option<u64> {
    let Ok(number) = u64::from_str_radix(digits, base) else { return None };
    Some(number)
}

/// The state in a `stat` file: its third word, behind a name in parentheses that may hold spaces and parentheses.
fn state(stat: &str) -> Option<char> {
    behind_name(stat)?.chars().next()
}

fn behind_name(stat: &str) -> Option<&str> {
    Some(stat.rsplit_once(')')?.1.trim_start())
}

/// The paths at the ends of the lines of a `maps` file. A path may have spaces.
fn files(maps: &str) -> BTreeSet<PathBuf> {
    let path = |line: &str| line.find('/').map(|at| PathBuf::from(&line[at..]));
    maps.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_socket_is_found_by_its_port_in_both_tables() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0\n   \
            1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 20 4 30 10 -1\n";
        assert_eq!(listeners(table, 8080).collect::<Vec<_>>(), [4242]);
        assert_eq!(listeners(table, 8081).count(), 0);
        let six = "  sl\n   0: 00000000000000000000000000000000:1F90 \
            00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0 100 0 0 10 0\n";
        assert_eq!(listeners(six, 8080).collect::<Vec<_>>(), [77]);
    }

    #[test]
    fn a_link_to_a_socket_names_its_inode() {
        assert_eq!(socket_inode("socket:[4242]"), Some(4242));
        assert_eq!(socket_inode("pipe:[4242]"), None);
    }

    #[test]
    fn a_program_s_name_does_not_hide_the_state_of_its_threads() {
        let stat = "12 (a (R) name) S 1 77 12 0 -1";
        assert_eq!(state(stat), Some('S'));
        assert_eq!(behind_name(stat).and_then(|rest| rest.split(' ').nth(2)), Some("77"));
        assert_eq!(state(""), None);
    }

    #[test]
    fn a_mapped_file_may_have_a_space_in_its_path() {
        let maps = "7f00-7f01 r-xp 00000000 00:01 12    /memfd:plimsoll-preload (deleted)\n\
            7f02-7f03 r-xp 00000000 08:01 13    /opt/a b/server\n7f04-7f05 rw-p 00000000 00:00 0\n\
            7f06-7f07 rw-p 00000000 00:00 0     [heap]\n";
        let expected = ["/memfd:plimsoll-preload (deleted)", "/opt/a b/server"].map(PathBuf::from);
        assert!(files(maps).into_iter().eq(expected));
    }

    #[test]
    fn this_process_is_found_by_the_port_that_it_listens_on() -> Result<()> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        assert_eq!(listening_on(port)?, [std::process::id()]);
        let parent = std::os::unix::process::parent_id();
        assert!(descends(std::process::id(), parent) && !descends(parent, std::process::id()));
        drop(listener);
        assert_eq!(listening_on(port)?, [0_u32; 0]);
        Ok(())
    }
}
