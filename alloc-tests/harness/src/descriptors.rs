//! Open descriptors of this process.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::mem::MaybeUninit;

use rustix::fs::{Mode, OFlags, RawDir};

/// Number and target (`socket:[1234]`, `/dev/null`) of every open descriptor.
pub(crate) fn open() -> io::Result<BTreeMap<u32, String>> {
    let mut open = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let number = entry.file_name().to_string_lossy().parse().map_err(io::Error::other)?;
        // A descriptor may be closed since it was listed.
        if let Ok(target) = fs::read_link(entry.path()) {
            open.insert(number, target.to_string_lossy().into_owned());
        }
    }
    // The descriptor of the listing itself.
    open.retain(|_, target| !target.ends_with("/fd"));
    Ok(open)
}

/// Number of open descriptors; allocates nothing.
pub(crate) fn count() -> rustix::io::Result<u64> {
    let mut buffer = [MaybeUninit::uninit(); 2048];
    let folder = rustix::fs::open("/proc/self/fd", OFlags::DIRECTORY, Mode::empty())?;
    let mut entries = RawDir::new(folder, &mut buffer);
    let mut count: u64 = 0;
    while let Some(entry) = entries.next() {
        count += u64::from(entry?.file_name().to_bytes()[0].is_ascii_digit());
    }
    // The descriptor of the listing itself.
    Ok(count.saturating_sub(1))
}

/// Descriptors in `after` that are not in `before`.
pub(crate) fn leaked(
    before: &BTreeMap<u32, String>,
    after: &BTreeMap<u32, String>,
) -> BTreeMap<u32, String> {
    let is_new = |(number, target): &(&u32, &String)| before.get(number) != Some(target);
    after.iter().filter(is_new).map(|(number, target)| (*number, target.clone())).collect()
}

/// One sentence for each kind of descriptor, with addresses where it is a TCP socket.
pub(crate) fn describe_all(descriptors: &BTreeMap<u32, String>) -> Vec<String> {
    let mut kinds: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (number, target) in descriptors {
        kinds.entry(describe(target)).or_default().push(*number);
    }
    let words = |(kind, numbers): (String, Vec<u32>)| match numbers[..] {
        [number] => format!("fd {number}: {kind}"),
        [first, .., last] => format!("{} descriptors, fd {first} to {last}: {kind}", numbers.len()),
        [] => kind,
    };
    kinds.into_iter().map(words).collect()
}

fn describe(target: &str) -> String {
    let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
    match inode.map(tcp_addresses) {
        Some(Some(addresses)) => format!("TCP socket {addresses}"),
        Some(None) => "socket".to_owned(),
        None => target.to_owned(),
    }
}

/// `local → remote (state)` of an IPv4 socket, from the kernel's table.
fn tcp_addresses(inode: &str) -> Option<String> {
    let table = fs::read_to_string("/proc/self/net/tcp").ok()?;
    let row = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|row| row.get(9) == Some(&inode))?;
    let address = |hex: &str| {
        let (ip, port) = hex.split_once(':')?;
        let ip = std::net::Ipv4Addr::from(u32::from_str_radix(ip, 16).ok()?.to_le_bytes());
        Some(format!("{ip}:{}", u16::from_str_radix(port, 16).ok()?))
    };
    Some(format!("{} → {}", address(row[1])?, address(row[2])?))
}
