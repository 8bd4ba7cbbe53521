//! The exact instrument as a library: heap blocks, bytes, reads and writes that one operation costs a server, to the
//! unit, with the call site that moved.
//!
//! A test target with `harness = false` makes [`Allocator`] its global allocator, and describes its [`Suite`]. A
//! [`Scenario`] drives a server in a [`Window`]. Each scenario runs in processes of its own.
//!
//! ```standalone_crate
//! use futures::{SinkExt, StreamExt};
//! use plimsoll::{Listener, Stop, Suite};
//!
//! plimsoll::allocator!();
//!
//! fn main() -> std::process::ExitCode {
//!     Suite::new(env!("CARGO_MANIFEST_DIR")).websocket("/", serve).echo(64).connect().hold(100).main()
//! }
//!
//! async fn serve(listener: Listener, stop: Stop) -> std::io::Result<()> {
//!     loop {
//!         tokio::select! {
//!             () = stop.clone() => return Ok(()),
//!             accepted = listener.accept() => tokio::spawn(echo(accepted?.0)),
//!         };
//!     }
//! }
//!
//! async fn echo(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
//!     let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
//!     while let Some(Ok(message)) = socket.next().await {
//!         if message.is_text() && socket.send(message).await.is_err() {
//!             return;
//!         }
//!     }
//! }
//! ```
//!
//! # Layout
//!
//! - [`suite`](Suite): the scenarios, and what they are held to; `setup`: what the other parts know of it; `workspace`: what
//!   cargo and the lockfile know of the package
//! - [`scenario`](Scenario): a number of operations on a server; [`window`](Window): one measured run of it
//! - [`serve`](Server): a server on a thread of its own; [`listener`](Listener): what it gets; [`websocket`](WebSocket): the scenarios that most servers need
//! - [`ws`]: drivers that do not allocate: a blocking [`client`](ws::Client), a peer in [`memory`](ws::MemoryPeer), and
//!   their frames
//! - [`io_count`]: the counts of reads and writes, and what is held back; [`counted`](Counted): a stream that is counted
//! - [`profiler`](Profiler): counts the heap (dhat); `descriptors`: lists open files and sockets
//! - `measure`: one window, and the repeats of one process; `repeats`: several processes, which must agree; `canary`:
//!   checks the instrument itself
//! - `system_calls`: the calls of the server's threads, by seccomp notifications, which also pin random numbers; `clock`:
//!   the clocks of the server, which can be stopped; `pins`: what is the same in every run
//! - `doctor`: the cause of counts that differ, by one pin after the other
//! - `sites`: dhat's profile as call sites; `source_file`: their files; `attribute`: the sites that allocate, leak or waver
//! - `child`: both ends of a scenario's process
//! - `judge`: scenarios against their baselines; `result`: those without a measurement; `limits`: limits for one run
//! - `record`: new baselines; `pending`: numbers that are not accepted yet; `report`: table, JSON, JUnit, Markdown
//! - `cli`: the suite for a person; `filter`: the scenarios that it names; `libtest`: the suite for cargo and nextest;
//!   `output`: stdout and stderr

mod attribute;
mod canary;
mod child;
mod cli;
mod client;
mod clock;
mod counted;
mod descriptors;
mod doctor;
mod error;
mod filter;
mod frame;
pub mod io_count;
mod judge;
mod libtest;
mod limits;
mod listener;
mod measure;
mod memory;
mod output;
mod pending;
mod pins;
mod profiler;
mod record;
mod repeats;
mod report;
mod result;
mod scenario;
mod serve;
mod setup;
mod sites;
mod source_file;
mod suite;
mod system_calls;
mod websocket;
mod window;
mod workspace;

/// WebSocket clients that do not allocate, on a socket and in memory, and their frames.
///
/// ```
/// use plimsoll::ws::{Frame, ascii};
///
/// assert_eq!(Frame::text(&ascii(3)).reply, b"\x81\x03abc");
/// ```
pub mod ws {
    pub use crate::client::Client;
    pub use crate::frame::{Frame, ascii};
    pub use crate::memory::MemoryPeer;
}

/// The result of a scenario: its error is the first demand that the server did not meet.
///
/// ```
/// fn parse(number: &str) -> plimsoll::Result<u64> {
///     Ok(number.parse()?)
/// }
/// assert_eq!(parse("7")?, 7);
/// # plimsoll::Result::Ok(())
/// ```
pub type Result<T = ()> = anyhow::Result<T>;

/// A counted quantity, for [`Scenario::slack`].
///
/// ```
/// use plimsoll::Metric;
///
/// assert_eq!(Metric::PeakBytes.name(), "peak_bytes");
/// ```
pub use baselines::alloc::Metric;
pub use counted::{Counted, count, count_tcp};
/// The allocator that counts, around the system's; [`allocator!`] makes it the global one.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: plimsoll::Allocator = plimsoll::Allocator;
/// ```
pub use dhat::Alloc as Allocator;
pub use error::Environment;
pub use listener::{Listener, Stop};
pub use profiler::Profiler;
pub use report::figures;
pub use scenario::Scenario;
pub use serve::{Served, Server};
pub use suite::Suite;
pub use websocket::WebSocket;
pub use window::Window;

/// The target triple that this program is built for, which is the name of its baseline.
///
/// ```
/// let file = format!("{}.json", plimsoll::TARGET);
/// assert!(file.contains(std::env::consts::ARCH));
/// ```
pub const TARGET: &str = setup::TARGET;

// rustdoc merges the examples of this crate into one program, and this one gives all of them their allocator: their
// suites would be blind without it. A second one in the same program would not compile; `standalone_crate` has its own.
/// Makes [`Allocator`] the program's global allocator. Write it once, in the file of the suite; a second one does not
/// compile, and without it the suite says *blind*.
///
/// ```
/// use plimsoll::{Scenario, Suite};
///
/// plimsoll::allocator!();
///
/// fn main() -> std::process::ExitCode {
///     Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("start_1_starts", start).main()
/// }
/// # fn start() -> Scenario {
/// #     Scenario::new("start", 1, |_| |window| window.serve(async |_, stop| stop.await)?.stop())
/// # }
/// ```
#[macro_export]
macro_rules! allocator {
    () => {
        #[global_allocator]
        static PLIMSOLL_ALLOCATOR: $crate::Allocator = $crate::Allocator;
    };
}
