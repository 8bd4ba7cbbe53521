//! The lines that `ws-server` would log: it logs from INFO up, and each line is a system call on a thread that serves.

use std::sync::{Mutex, Once};

use anyhow::bail;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The lines of a process so far, and where the last came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines {
    count: u64,
    last: Option<&'static Metadata<'static>>,
}

static LINES: Mutex<Lines> = Mutex::new(Lines { count: 0, last: None });

/// Counts lines from now on, in every thread of the process.
pub(crate) fn observe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Log).expect("nothing else observes this process");
    });
}

impl Lines {
    pub(crate) fn now() -> Self {
        *LINES.lock().expect("no holder panics")
    }

    /// Fails unless `count` lines came since `self`. Allocates nothing else.
    pub(crate) fn expect(self, count: u64) -> anyhow::Result<()> {
        let now = Self::now();
        let lines = now.count - self.count;
        if lines == count {
            return Ok(());
        }
        let last = now.last.filter(|_| lines > 0);
        let place = last.and_then(|line| Some(format!("{}:{}", line.file()?, line.line()?)));
        let place = place.unwrap_or_else(|| "no place".to_owned());
        bail!("ws-server would log {lines} lines instead of {count}, the last one at {place}")
    }
}

struct Log;

impl Log {
    fn add(&self, line: &'static Metadata<'static>) {
        let mut lines = LINES.lock().expect("no holder panics");
        *lines = Lines { count: lines.count + 1, last: Some(line) };
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    /// A span is no line, and is kept on the heap while it lives.
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.add(span.metadata());
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        self.add(event.metadata());
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
