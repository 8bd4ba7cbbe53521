//! `count` on programs whose costs are known: the example `known`, with its faults.

use std::env;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// A server whose message costs nothing, and whose connection holds 1000 bytes beside its thread. It is compiled here:
/// cargo builds an example as a program only in some of its ways to run tests.
fn known() -> Result<String> {
    compiled("known", &[])
}

fn compiled(name: &str, flags: &[&str]) -> Result<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/known.rs");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let changed = fs::metadata(&source)?.modified()?;
    static COMPILING: Mutex<()> = Mutex::new(());
    let _alone = COMPILING.lock().unwrap_or_else(PoisonError::into_inner);
    if !program.exists() || fs::metadata(&program)?.modified()? < changed {
        // Another process may compile it too, and rustc leaves files beside its output.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let own = folder.path().join(name);
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args(["--edition", "2024", "-O", "-C", "strip=symbols"]).args(flags);
        let output = rustc.arg("-o").arg(&own).arg(&source).output().context("rustc starts")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::rename(own, &program)?;
    }
    Ok(program.to_str().context("a path of ASCII")?.to_owned())
}

fn count(flags: &[&str], command: &[&str]) -> Result<Output> {
    let mut plimsoll = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    plimsoll.arg("count").args(["--messages", "100", "--connections", "20", "--runs", "2"]);
    plimsoll.args(flags).arg("--").args(command);
    plimsoll.output().context("plimsoll starts")
}

/// The report of `known` with `fault`, and the exit code.
fn counted(fault: &str) -> Result<(Value, Option<i32>)> {
    let output = count(&["--format", "json"], &[&known()?, "{port}", fault])?;
    let report = serde_json::from_slice(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    Ok((report.with_context(|| format!("no report: {stderr}"))?, output.status.code()))
}

/// Counts `command`, and demands an error of one line that says `words`.
#[track_caller]
fn refused(code: i32, flags: &[&str], command: &[&str], words: &[&str]) -> Result<()> {
    let output = count(flags, command)?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<&str> = stderr.lines().filter(|line| !line.ends_with('…')).collect();
    let [error] = errors[..] else { anyhow::bail!("not one line: {errors:#?}") };
    for word in words {
        ensure!(error.contains(word), "no {word:?} in: {error}");
    }
    assert_eq!(output.status.code(), Some(code), "{error}");
    Ok(())
}

/// Counts `known` with a fault, and demands an error of one line that says `words`.
#[track_caller]
fn fault(fault: &str, code: i32, words: &[&str]) -> Result<()> {
    refused(code, &["--start-within", "1"], &[&known()?, "{port}", fault], words)
}

#[test]
fn a_server_without_a_block_per_message_is_counted_exactly() -> Result<()> {
    let (report, code) = counted("")?;
    let nothing = json!({"blocks": 0, "bytes": 0, "reads": 1, "writes": 1, "held_bytes": 0});
    assert_eq!((&report["message"], code), (&nothing, Some(0)), "{report:#}");
    let connection = &report["connection"];
    assert_eq!((&connection["reads"], &connection["writes"]), (&json!(2), &json!(2)));
    assert_eq!(connection["held_bytes"], 0, "{report:#}");
    Ok(())
}

#[test]
fn three_blocks_of_each_message_are_three() -> Result<()> {
    let (report, code) = counted("copies")?;
    let three = json!({"blocks": 3, "bytes": 192, "reads": 1, "writes": 1, "held_bytes": 0});
    assert_eq!((&report["message"], code), (&three, Some(0)), "{report:#}");
    Ok(())
}

#[test]
fn a_block_that_each_message_leaks_is_held() -> Result<()> {
    let (report, code) = counted("leaks")?;
    let leak = json!({"blocks": 1, "bytes": 100, "reads": 1, "writes": 1, "held_bytes": 100});
    assert_eq!((&report["message"], code), (&leak, Some(0)), "{report:#}");
    Ok(())
}

#[test]
fn a_block_of_every_fiftieth_message_is_not_rounded_away() -> Result<()> {
    let (report, code) = counted("sometimes")?;
    let blocks = &report["message"]["blocks"];
    assert_eq!((blocks, code), (&json!(0.02), Some(0)), "{report:#}");
    Ok(())
}

#[test]
fn a_server_that_ticks_is_told_apart_from_what_messages_cost() -> Result<()> {
    let (report, _) = counted("ticks")?;
    let notes = report["notes"].to_string();
    ensure!(notes.contains("does something by itself"), "{report:#}");
    Ok(())
}

#[test]
fn processes_that_differ_are_shown_with_their_range() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let starts = folder.path().join("starts");
    let starts = starts.to_str().context("a path of ASCII")?;
    let output = count(&["--format", "json"], &[&known()?, "{port}", "varies", starts])?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(report["message"]["blocks"], json!({"least": 1, "most": 2}), "{report:#}");
    assert_eq!((&report["verdict"], output.status.code()), (&json!("differs"), Some(6)));
    Ok(())
}

#[test]
fn four_workers_and_a_process_for_each_connection_are_counted() -> Result<()> {
    for fault in ["workers", "forks"] {
        // What threads beside each other hold at one moment is theirs.
        let (report, _) = counted(fault)?;
        assert_eq!(report["message"]["blocks"], 0, "{report:#}");
        assert_eq!(report["message"]["reads"], 1, "{report:#}");
    }
    Ok(())
}

#[test]
fn an_idle_connection_of_a_forked_process_holds_what_it_allocated() -> Result<()> {
    let (report, _) = counted("forks")?;
    assert_eq!(report["connection"]["blocks"], 3, "{report:#}");
    assert_eq!(report["idle_connection"]["held_bytes"], 1000, "{report:#}");
    assert_eq!(report["connection"]["held_bytes"], 0, "{report:#}");
    Ok(())
}

#[test]
fn reads_that_bypass_the_c_library_are_not_measured() -> Result<()> {
    let (report, code) = counted("hides")?;
    assert_eq!(
        (&report["message"]["reads"], code),
        (&json!("not measured"), Some(0)),
        "{report:#}"
    );
    assert_eq!(report["message"]["writes"], 1, "{report:#}");
    Ok(())
}

#[test]
fn a_program_behind_a_shell_and_a_path_with_a_space_is_counted() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("a folder").tempdir()?;
    let moved = folder.path().join("my server");
    fs::copy(known()?, &moved)?;
    let moved = moved.to_str().context("a path of ASCII")?;
    let script = format!("true; '{moved}' \"$PORT\"; true");
    for command in [&[moved, "{port}"][..], &["sh", "-c", &script, "{port}"][..]] {
        let output = count(&["--format", "json"], command)?;
        let report: Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!(report["message"]["blocks"], 0, "{report:#}");
    }
    Ok(())
}

#[test]
fn a_conversation_that_is_no_echo_is_counted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("conversation.toml");
    fs::write(
        &file,
        "[[exchange]]\nsend = \"one {seq}\"\nexpect = { prefix = \"one\" }\n[[exchange]]\nsend = \"two\"\n",
    )?;
    let file = file.to_str().context("a path of ASCII")?;
    let flags = ["--format", "json", "--conversation", file];
    let output = count(&flags, &[&known()?, "{port}", "copies"])?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    // Both exchanges are one message: three copies of fourteen letters, and three of three.
    let six = json!({"blocks": 6, "bytes": 51, "reads": 2, "writes": 2, "held_bytes": 0});
    assert_eq!((&report["message"], output.status.code()), (&six, Some(0)), "{report:#}");
    Ok(())
}

#[test]
fn a_program_with_an_allocator_of_its_own_is_blind() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let marked = folder.path().join("marked");
    let mut program = fs::read(known()?)?;
    // What follows the program in its file is as good as a text in it.
    program.extend(b"<jemalloc>: Invalid conf pair");
    fs::write(&marked, program)?;
    fs::set_permissions(&marked, fs::metadata(known()?)?.permissions())?;
    let marked = marked.to_str().context("a path of ASCII")?;
    refused(6, &[], &[marked, "{port}"], &["blind: ", marked, "jemalloc", "cargo plimsoll init"])
}

#[test]
fn a_static_program_is_blind() -> Result<()> {
    let program = compiled("known-static", &["-C", "target-feature=+crt-static"])?;
    refused(
        6,
        &[],
        &[&program, "{port}"],
        &["blind: ", &program, "linked statically", "crt-static"],
    )
}

#[test]
fn a_server_whose_helper_is_not_counted_is_blind() -> Result<()> {
    let helper = compiled("known-static", &["-C", "target-feature=+crt-static"])?;
    let words = ["blind: ", "(known-static) is not counted", "start the server without it"];
    refused(6, &[], &[&known()?, "{port}", "helped", &helper], &words)
}

#[test]
fn a_program_that_leaves_its_first_process_is_counted_and_ended() -> Result<()> {
    let output = count(&["--format", "json"], &["setsid", "--fork", &known()?, "{port}"])?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(report["message"]["blocks"], 0, "{report:#}");
    Ok(())
}

#[test]
fn a_program_that_does_not_serve_is_an_error_that_says_why() -> Result<()> {
    fault("ends", 1, &["ended before it served", "no configuration in /etc/known.toml"])?;
    fault("deaf", 1, &["does not listen on port", "after 1 s", "--port N"])?;
    fault("refuses", 1, &["404", "--path"])?;
    fault("garbles", 1, &["the conversation does not match", "--conversation FILE", "wanted"])?;
    refused(
        1,
        &[],
        &["/no/such/program", "{port}"],
        &["/no/such/program", "there is no such program"],
    )?;
    refused(1, &[], &["/etc/passwd", "{port}"], &["/etc/passwd", "not executable"])
}

#[test]
fn a_command_without_a_port_and_a_port_in_use_are_refused() -> Result<()> {
    refused(2, &[], &["./server"], &["{port}", "--port N"])?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port().to_string();
    refused(1, &["--port", &port], &["./server"], &[&port, "in use"])?;
    let missing = ["--conversation", "/no/such/file.toml"];
    refused(2, &missing, &["./server", "{port}"], &["/no/such/file.toml"])?;
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(b"[[exchange]]\nexpekt = 1\n")?;
    let path = file.path().to_str().context("a path of ASCII")?;
    refused(2, &["--conversation", path], &["./server", "{port}"], &[path, "expekt"])
}
