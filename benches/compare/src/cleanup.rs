//! Nothing stays behind: child processes end and folders go when they are dropped, and on a signal just as well.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Context;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpid, getppid, set_parent_process_death_signal, waitid,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

mod groups;

use groups::{Groups, kill};

/// From now on SIGINT, SIGTERM and SIGHUP kill every [`Child`], run every [`Guard`], newest first, and end this process
/// with 128 + signal, whatever its other threads wait for. A signal that is ignored already (nohup) stays ignored.
///
/// # Errors
///
/// If the signals cannot be caught.
pub fn install() -> anyhow::Result<()> {
    static INSTALLED: Mutex<bool> = Mutex::new(false);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if *installed {
        return Ok(());
    }
    let ignored = ignored_signals()?;
    let caught = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !ignored.contains(signal));
    let mut signals = Signals::new(caught).context("cannot catch signals")?;
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            end(signal);
        }
    };
    let thread = thread::Builder::new().name("cleanup".to_owned());
    thread.spawn(wait).context("cannot start a thread; look with ulimit -u")?;
    *installed = true;
    Ok(())
}

/// A child process and all that it starts, as long as they stay in its process group. Dropping it kills them.
#[derive(Debug)]
pub struct Child {
    inner: std::process::Child,
    group: Pid,
    /// Whether it may still run. Once it is reaped, its number may belong to somebody else.
    alive: bool,
}

/// Starts `command` in a process group of its own. Not even a `kill -9` of this process leaves it: it ends with the
/// thread that started it, which must therefore not return earlier, and a watchdog kills the rest of its group.
///
/// # Errors
///
/// If it cannot be started.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let parent = getpid();
    let bind_to_parent = move || -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // A parent that died before the line above sends nothing any more.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: between fork and exec it makes two system calls; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(bind_to_parent) };
    // Held over the fork: a signal finds no child that it does not know.
    let mut state = enter();
    // What an action starts is to come to its end as well.
    let watched = !CLEANING.get();
    if watched {
        state.groups.get_ready()?;
    }
    let inner = command.process_group(0).spawn()?;
    let group = Pid::from_child(&inner);
    if watched {
        state.groups.add(group);
    }
    Ok(Child { inner, group, alive: true })
}

/// Runs `command` to its end, without stdin, and keeps what it writes to stdout and stderr.
///
/// # Errors
///
/// If it cannot be started or read.
pub fn output(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    spawn(command)?.wait_with_output()
}

impl Child {
    /// Its process id, and that of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Its stdout, once, if that is a pipe.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.inner.stdout.take()
    }

    /// Waits until it ends; what it leaves in its group is killed.
    ///
    /// # Errors
    ///
    /// If the system cannot say how it ended.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.inner.stdin.take());
        if self.alive {
            watch(self.group, WaitIdOptions::EXITED)?;
        }
        self.reap()
    }

    /// How it ended, if it has; what it left in its group is then killed.
    ///
    /// # Errors
    ///
    /// If the system cannot say how it ended.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        if self.alive && !watch(self.group, options)? {
            return Ok(None);
        }
        self.reap().map(Some)
    }

    /// Kills it and its group, and waits until it is gone.
    ///
    /// # Errors
    ///
    /// If the system cannot say how it ended.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        if self.alive {
            kill(self.group);
        }
        self.wait()
    }

    /// Waits until it ends, and keeps what it writes to those of stdout and stderr that are pipes.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        let (stdout, stderr) = (self.inner.stdout.take(), self.inner.stderr.take());
        let (stdout, stderr) = thread::scope(|scope| {
            let stderr = scope.spawn(|| all_of(stderr));
            (all_of(stdout), stderr.join().expect("reading does not panic"))
        });
        Ok(Output { status: self.wait()?, stdout: stdout?, stderr: stderr? })
    }

    /// To be called once it has ended: while it is not reaped, nobody else can have its number, so that under the lock
    /// no stranger is killed.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        if self.alive {
            let mut state = enter();
            kill(self.group);
            state.groups.remove(self.group);
            self.alive = false;
        }
        self.inner.wait()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It was ours and it was killed: there is nobody to tell anything else.
        drop(self.kill());
    }
}

/// Something to do at the end, once: when this is dropped, or on a signal.
pub struct Guard {
    id: u64,
    action: Arc<Action>,
}

/// Whoever runs it holds the lock, so that the other one waits until it is done.
type Action = Mutex<Option<Box<dyn FnOnce() + Send>>>;

impl Guard {
    /// Will run `action`, which may hold and drop other guards and children.
    pub fn new(action: impl FnOnce() + Send + 'static) -> Self {
        let action: Arc<Action> = Arc::new(Mutex::new(Some(Box::new(action))));
        let mut state = enter();
        let id = state.next_id;
        state.next_id += 1;
        state.actions.insert(id, Arc::clone(&action));
        Self { id, action }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Known to the signal's thread until it is done: that one waits for it.
        let was = CLEANING.replace(true);
        run(&self.action);
        CLEANING.set(was);
        enter().actions.remove(&self.id);
    }
}

struct State {
    /// A signal came; all threads but the one that cleans up stop where they are.
    ending: bool,
    next_id: u64,
    groups: Groups,
    actions: BTreeMap<u64, Arc<Action>>,
}

static STATE: Mutex<State> = Mutex::new(State {
    ending: false,
    next_id: 0,
    groups: Groups::new(),
    actions: BTreeMap::new(),
});

thread_local! {
    /// Whether this thread runs an action, which must come to its end even after a signal.
    static CLEANING: Cell<bool> = const { Cell::new(false) };
}

/// The state; after a signal it never returns, so that what went wrong because of the signal is not reported, and
/// nothing new is started.
fn enter() -> MutexGuard<'static, State> {
    let state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    if state.ending && !CLEANING.get() {
        drop(state);
        loop {
            thread::park();
        }
    }
    state
}

fn end(signal: i32) -> ! {
    CLEANING.set(true);
    let (groups, actions) = {
        let mut state = enter();
        state.ending = true;
        state.groups.pids().iter().copied().for_each(kill);
        (state.groups.pids().to_vec(), state.actions.clone())
    };
    for group in groups {
        // What is being killed may still write into a folder that is about to go. Who reaped it meanwhile knows.
        drop(watch(group, WaitIdOptions::EXITED));
    }
    for action in actions.values().rev() {
        // One that fails must not keep the others from running.
        drop(catch_unwind(AssertUnwindSafe(|| run(action))));
    }
    signal_hook::low_level::exit(128 + signal)
}

fn run(action: &Action) {
    let mut action = action.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(action) = action.take() {
        action();
    }
}

/// Whether a child has ended, without reaping it.
fn watch(child: Pid, options: WaitIdOptions) -> io::Result<bool> {
    let options = options | WaitIdOptions::NOWAIT;
    let status = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(child), options))?;
    Ok(status.is_some())
}

fn all_of(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What whoever started this process wants to have ignored.
fn ignored_signals() -> anyhow::Result<Vec<i32>> {
    let status = std::fs::read_to_string("/proc/self/status").context("cannot read /proc")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let mask = mask.context("/proc/self/status names no ignored signals")?;
    Ok((1..=64).filter(|signal| mask >> (signal - 1) & 1 == 1).collect())
}

#[cfg(test)]
mod tests;
