//! Child processes and temporary folders that end when they are dropped, on a signal, and on a SIGKILL.

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

/// Installs handlers for SIGINT, SIGTERM and SIGHUP, which kill every [`Child`], run every [`Guard`], newest first, and
/// end this process with 128 + signal. A signal that is already ignored (nohup) stays ignored.
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
    thread.spawn(wait).context("cannot start a thread; check the limit with ulimit -u")?;
    *installed = true;
    Ok(())
}

/// A child process and its process group. Dropping it kills the group.
#[derive(Debug)]
pub struct Child {
    inner: std::process::Child,
    group: Pid,
    /// Whether it may still run. Once it is reaped, its id may belong to another process.
    alive: bool,
}

/// Starts `command` in a process group of its own. On a `kill -9` of this process, the system kills the child and a
/// watchdog the rest of its group. The child also ends with the thread that called this.
///
/// # Errors
///
/// If it cannot be started.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let parent = getpid();
    // Held over the fork, so that a signal handler knows every child.
    let mut state = enter();
    // A child of a guard's action must be able to finish.
    let watched = !CLEANING.get();
    let watchdog = if watched { state.groups.get_ready()? } else { None };
    let bind_to_parent = move || -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The child itself: this process may be killed before it knows the child's id.
        if let Some(watchdog) = watchdog {
            groups::report(watchdog, "add", getpid())?;
        }
        // A parent that died before the first line sends no signal.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: between fork and exec it makes a few system calls; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(bind_to_parent) };
    let inner = command.process_group(0).spawn()?;
    let group = Pid::from_child(&inner);
    if watched {
        state.groups.add(group);
    }
    Ok(Child { inner, group, alive: true })
}

/// Runs `command` to its end, without stdin, and collects stdout and stderr.
///
/// # Errors
///
/// If it cannot be started or read.
pub fn output(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    spawn(command)?.wait_with_output()
}

impl Child {
    /// Its process id, which is also the id of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Its stdout if that is a pipe and was not taken before.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.inner.stdout.take()
    }

    /// Waits until it ends, then kills the rest of its group.
    ///
    /// # Errors
    ///
    /// If the system does not know its status.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.inner.stdin.take());
        if self.alive {
            watch(self.group, WaitIdOptions::EXITED)?;
        }
        self.reap()
    }

    /// Its status if it has ended; then the rest of its group is killed.
    ///
    /// # Errors
    ///
    /// If the system does not know its status.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        if self.alive && !watch(self.group, options)? {
            return Ok(None);
        }
        self.reap().map(Some)
    }

    /// Kills its group and waits for it to end.
    ///
    /// # Errors
    ///
    /// If the system does not know its status.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        if self.alive {
            kill(self.group);
        }
        self.wait()
    }

    /// Waits until it ends, and collects stdout and stderr if they are pipes.
    ///
    /// # Errors
    ///
    /// If a pipe cannot be read, or the system does not know its status.
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        let (stdout, stderr) = (self.inner.stdout.take(), self.inner.stderr.take());
        let (stdout, stderr) = thread::scope(|scope| {
            let stderr = scope.spawn(|| all_of(stderr));
            (all_of(stdout), stderr.join().expect("reading does not panic"))
        });
        Ok(Output { status: self.wait()?, stdout: stdout?, stderr: stderr? })
    }

    /// Call it after the end of the child: until it is reaped, no other process can have its id, so the kill under the
    /// lock reaches no other group.
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
        // A drop cannot report an error, and the group is killed either way.
        drop(self.kill());
    }
}

/// An action that runs once: when this is dropped, or on a signal.
pub struct Guard {
    id: u64,
    action: Arc<Action>,
}

/// The thread that runs it holds the lock; a second one waits until it is done.
type Action = Mutex<Option<Box<dyn FnOnce() + Send>>>;

impl Guard {
    /// Registers `action`, which may hold and drop other guards and children.
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
        // Registered until it is done, so that the signal thread waits for it.
        let was = CLEANING.replace(true);
        run(&self.action);
        CLEANING.set(was);
        enter().actions.remove(&self.id);
    }
}

struct State {
    /// A signal came: all threads but the one that cleans up stop.
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
    /// Whether this thread runs an action, which must finish even after a signal.
    static CLEANING: Cell<bool> = const { Cell::new(false) };
}

/// Locks the state. After a signal it never returns, so that errors caused by the signal are not reported and no child
/// is started.
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
        // A dying process may still write into a folder that an action removes. An error means it was reaped.
        drop(watch(group, WaitIdOptions::EXITED));
    }
    for action in actions.values().rev() {
        // An action that panics must not stop the others.
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

/// The signals that this process ignores, as its parent set it up.
///
/// # Errors
///
/// If `/proc` cannot be read.
pub fn ignored_signals() -> anyhow::Result<Vec<i32>> {
    let status = std::fs::read_to_string("/proc/self/status").context("cannot read /proc")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let mask = mask.context("/proc/self/status names no ignored signals")?;
    Ok((1..=64).filter(|signal| mask >> (signal - 1) & 1 == 1).collect())
}
