//! Whether the blocks of a program go through `malloc`, and whether the library is there to see them.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use bench_show::units::volume;
use plimsoll_preload::counts::Process;

use super::counters::{Counters, MAPPED, is_loaded};
use super::distrust::{Blind, IN_PROCESS, blind};
use super::elf::{self, Linkage};
use super::markers::{self, Marker};
use super::{proc, program::Program};

/// How the note on a garbage-collected heap begins.
pub(super) const COLLECTED: &str = "the garbage-collected heap of";

/// Follows the name of a program.
const GO: &str = "is a program in Go, whose runtime allocates past malloc; count it with Go's testing.AllocsPerRun";

/// Looks at the processes that serve. Returns what the numbers leave out; an error is [`Blind`] if they cannot be had.
pub(super) fn look(program: &Program, counters: &Counters) -> Result<Vec<String>> {
    let serving = program.serving()?;
    if serving.is_empty() {
        let port = program.addr().port();
        return blind(format!(
            "no process that listens on port {port} can be looked at: it belongs to another user or \
             container; start the program itself, as this user"
        ));
    }
    let counting = counters.running()?;
    let mut notes = Vec::new();
    for pid in serving {
        let note = look_at(pid).with_context(|| format!("process {pid} ({})", proc::name(pid)));
        for note in note.map_err(without_ended)? {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        let counts = |counting: &Vec<Process>| counting.iter().any(|process| process.pid == pid);
        if !counting.as_ref().is_none_or(counts) {
            return blind(format!(
                "process {pid} ({}) has the counting library, but cannot open its file: it was started in \
                 another root folder or as another user; start it as this user",
                proc::name(pid)
            ));
        }
    }
    Ok(notes)
}

/// Looks at all processes of the program, once it has served. One that the server has started and that is not counted
/// may do its work.
pub(super) fn look_at_helpers(program: &Program, notes: &mut Vec<String>) -> Result<()> {
    let serving = program.serving()?;
    for pid in program.uncounted()? {
        let words = format!("process {pid} ({}) is not counted", proc::name(pid));
        if serving.iter().any(|server| proc::descends(pid, *server)) {
            return blind(format!(
                "{words}, but the server has started it and it may do the server's work; start the server \
                 without it"
            ));
        }
        notes.push(words);
    }
    Ok(())
}

/// Looks at the memory that a program without connections has `mapped` past `malloc`, beside the `live` bytes of `malloc`.
/// Its collectors are already in `notes`.
pub(super) fn look_at_memory(mapped: u64, live: u64, notes: &mut Vec<String>) -> Result<()> {
    if mapped == 0 || !notes.is_empty() {
        return Ok(());
    }
    let (past, from) = (volume(mapped as f64), volume(live as f64));
    if mapped > live {
        return blind(format!(
            "the program holds {past} that it has mapped past malloc, and {from} of malloc: most of its \
             blocks cannot be seen; {IN_PROCESS}"
        ));
    }
    notes.push(format!("the program holds {past} that it has mapped past malloc; what it allocates there is not counted"));
    Ok(())
}

/// The context of a [`Blind`] would only repeat what it says.
fn without_ended(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Blind>() {
        Ok(blind) => blind.into(),
        Err(error) => error,
    }
}

/// What the numbers of one process leave out.
fn look_at(pid: u32) -> Result<Vec<String>> {
    let link = format!("/proc/{pid}/exe");
    let program = fs::read_link(&link).with_context(|| format!("cannot read {link}"))?;
    let mapped = proc::mapped(pid)?;
    if !is_loaded(&mapped) {
        return unloaded(&link, &program);
    }
    let libraries = mapped.iter().filter(|file| is_library(file) && **file != program);
    // A program that was replaced since it started is still behind the link.
    let files = [(Path::new(&link), &program)].into_iter();
    let mut collectors = Vec::new();
    for (file, name) in files.chain(libraries.map(|file| (file.as_path(), file))) {
        // A library that was replaced is not.
        let texts = if file.exists() { of_file(file)? } else { Vec::new() };
        for marker in texts.into_iter().chain(markers::of_name(name)) {
            let name = name.display();
            match marker {
                Marker::Allocator(markers::GO) => return blind(format!("{name} {GO}")),
                Marker::Allocator(allocator) => {
                    return blind(format!(
                        "{name} has an allocator of its own, {allocator}, whose blocks do not go through \
                         malloc; build or start it without (a feature or a cfg on #[global_allocator]), or \
                         {IN_PROCESS}"
                    ));
                }
                Marker::Collector(collector) => collectors.push(collector),
            }
        }
    }
    collectors.dedup();
    let note = |of| format!("{COLLECTED} {of} is not counted, only what goes through malloc");
    Ok(collectors.into_iter().map(note).collect())
}

/// Why the program behind `link` does not load our library.
fn unloaded<T>(link: &str, program: &Path) -> Result<T> {
    let name = program.display();
    if of_file(Path::new(link))?.contains(&Marker::Allocator(markers::GO)) {
        return blind(format!("{name} {GO}"));
    }
    let why = match elf::linkage(&first_bytes(link)?) {
        Some(Linkage::Static) => {
            "it is linked statically; link the C library dynamically (without target-feature +crt-static)"
        }
        Some(Linkage::Dynamic(linker)) if linker.contains("musl") => {
            "it is linked with musl; build it for a target with glibc"
        }
        _ => {
            "the dynamic linker does not preload for it: it has the setuid bit or capabilities, or a script \
             sets LD_PRELOAD anew; start it without them"
        }
    };
    blind(format!("{name} does not load the counting library: {why}, or {IN_PROCESS}"))
}

fn of_file(file: &Path) -> Result<Vec<Marker>> {
    let read = File::open(file).and_then(markers::of_text);
    read.with_context(|| format!("cannot read {}", file.display()))
}

fn first_bytes(file: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(file).with_context(|| format!("cannot open {file}"))?;
    file.take(elf::HEAD).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a mapped file may hold an allocator: a shared library, but not our own.
fn is_library(file: &Path) -> bool {
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.contains(".so") && !file.to_string_lossy().starts_with(MAPPED)
}
