//! A server that has nothing to do with ours, under the harness: an echo loop over tokio-tungstenite.

use std::process::{Command, ExitCode};

use baselines::alloc::Metric;
use baselines::{SuiteReport, Verdict};
use futures::{SinkExt, StreamExt};
use libtest_mimic::{Failed, Trial};
use plimsoll::ws::{Client, Frame, MemoryPeer};
use plimsoll::{Environment, Listener, Scenario, Stop, Suite};
use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(feature = "hooks")]
plimsoll::allocator!();

const ID: &str = "echo_100_msgs";
const UNWRAPPED: &str = "echo_unwrapped_100_msgs";

async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) -> anyhow::Result<()> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

fn scenario() -> Scenario {
    Scenario::new("message", 100, |ops| {
        let peer = MemoryPeer::new("/", Frame::text("hello"), ops);
        move |window| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let runtime =
                runtime.map_err(|error| anyhow::Error::new(error).context(Environment))?;
            window.run(&runtime, echo(plimsoll::count(peer)))
        }
    })
    .in_memory()
}

/// The same server over TCP, with streams that are not wrapped.
fn unwrapped() -> Scenario {
    Scenario::new("message", 100, |ops| {
        let (mut client, message) = (Client::default(), Frame::text("hello"));
        move |window| {
            let server = window.serve(async |listener, stop| {
                let listener = listener.into_tokio();
                tokio::select! {
                    () = stop => Ok(()),
                    accepted = listener.accept() => echo(accepted?.0).await,
                }
            })?;
            client.upgrade(server.addr(), "/")?;
            for _ in 0..ops {
                client.exchange(&message.request, &message.reply)?;
            }
            client.close()?;
            server.stop()
        }
    })
}

async fn serve(listener: Listener, stop: Stop) -> std::io::Result<()> {
    loop {
        tokio::select! {
            () = stop.clone() => return Ok(()),
            accepted = listener.accept() => drop(tokio::spawn(echo(accepted?.0))),
        }
    }
}

/// Accepts from tokio's own listener.
async fn serve_unseen(listener: Listener, stop: Stop) -> std::io::Result<()> {
    let listener = listener.into_tokio();
    loop {
        tokio::select! {
            () = stop.clone() => return Ok(()),
            accepted = listener.accept() => drop(tokio::spawn(echo(accepted?.0))),
        }
    }
}

fn report() -> Result<SuiteReport, Failed> {
    let folder = tempfile::tempdir()?;
    let output = Command::new(std::env::current_exe()?)
        .args(["suite", "--runs", "3", "--format", "json", "--baselines"])
        .arg(folder.path())
        .output()?;
    Ok(SuiteReport::parse(&String::from_utf8_lossy(&output.stdout))?)
}

fn reads_of_streams_that_were_not_wrapped_are_not_measured() -> Result<(), Failed> {
    let scenario = &report()?.scenarios[UNWRAPPED];
    let counts = scenario.measured.as_ref().ok_or("nothing was counted")?;
    if (counts.reads, counts.writes) == (None, None) && counts.blocks[0] > 0 {
        Ok(())
    } else {
        Err(format!("{scenario:?}").into())
    }
}

fn each_message_is_read_and_written_once() -> Result<(), Failed> {
    let report = report()?;
    let scenario = &report.scenarios[ID];
    // A debug build has no baseline to miss.
    let expected = if cfg!(debug_assertions) { Verdict::NotComparable } else { Verdict::Missing };
    let counts = scenario.measured.as_ref().ok_or("nothing was counted")?;
    let per_message = [Metric::Reads, Metric::Writes].map(|metric| counts.per_op(metric));
    if scenario.verdict == expected && per_message == [Some(1.0); 2] && counts.blocks[0] > 0 {
        Ok(())
    } else {
        Err(format!("{scenario:?}").into())
    }
}

/// The JSON on stdout and the one in the file are one report.
fn a_report_is_written_in_a_second_format_and_a_bad_file_is_refused() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let run = |also: String| {
        Command::new(std::env::current_exe()?)
            .args(["suite", ID, "--runs", "3", "--format", "json", "--also", &also, "--baselines"])
            .arg(folder.path())
            .output()
    };
    let file = folder.path().join("suite.json");
    let output = run(format!("json={}", file.display()))?;
    if std::fs::read(&file)? != output.stdout || output.stdout.is_empty() {
        return Err("the file and stdout differ".into());
    }
    for (also, words) in
        [("json", "expected a format and a file"), ("json=/none/x", "cannot write")]
    {
        let stderr = String::from_utf8(run(also.to_owned())?.stderr)?;
        if !stderr.contains(words) {
            return Err(format!("{also}: {stderr}").into());
        }
    }
    Ok(())
}

type Fact = fn() -> Result<(), Failed>;

fn main() -> ExitCode {
    let suite = Suite::new(env!("CARGO_MANIFEST_DIR")).crates(&["other_server"]);
    let suite = suite.scenario(ID, scenario).scenario(UNWRAPPED, unwrapped);
    let question = Frame::text("?");
    let suite = suite
        .websocket("/", serve)
        // A text of one letter is shorter than the longest header.
        .greet(move |client| {
            client.send(&question.request)?;
            client.expect_text(b"?")
        })
        .request("!", "!")
        .hold(3)
        .suite()
        .websocket("/", serve_unseen)
        .connect()
        .suite();
    let tests: [(&str, Fact); 3] = [
        (
            "a_report_is_written_in_a_second_format_and_a_bad_file_is_refused",
            a_report_is_written_in_a_second_format_and_a_bad_file_is_refused,
        ),
        (
            "each_message_of_another_server_is_read_and_written_once",
            each_message_is_read_and_written_once,
        ),
        (
            "reads_of_streams_that_were_not_wrapped_are_not_measured",
            reads_of_streams_that_were_not_wrapped_are_not_measured,
        ),
    ];
    let tests = tests.into_iter().filter(|_| cfg!(feature = "hooks"));
    tests.fold(suite, |suite, (name, test)| suite.test(Trial::test(name, test))).main()
}
