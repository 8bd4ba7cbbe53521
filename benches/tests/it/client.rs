//! The driver of the benchmarks against the server.

use anyhow::Result;
use bench_kit::client::Client;
use bench_kit::payload::{Exchange, Kind};
use server::{Config, Embedded};

const MIB: usize = 1024 * 1024;

fn server() -> Result<Embedded> {
    Ok(Embedded::start(Config { max_message: MIB, ..Config::default() })?)
}

#[test]
fn the_client_exchanges_every_size_and_closes_cleanly() -> Result<()> {
    let server = server()?;
    let mut client = Client::upgrade(server.addr(), "/ws/echo")?;
    for (kind, size) in
        [(Kind::Text, 16), (Kind::Binary, 0), (Kind::Text, 64 * 1024), (Kind::Binary, MIB)]
    {
        let Exchange { out, answer } = Exchange::echo(kind, size);
        client.exchange(&out, &answer)?;
    }
    let Exchange { out, answer } = Exchange::echo(Kind::Text, 64).pipelined(16);
    client.exchange(&out, &answer)?;
    client.close()?;
    assert!(server.stop()?.report.drained);
    Ok(())
}

#[test]
fn the_client_notices_one_wrong_byte_in_small_and_large_answers() -> Result<()> {
    let server = server()?;
    for size in [64, MIB] {
        let mut client = Client::upgrade(server.addr(), "/ws/echo")?;
        let Exchange { out, mut answer } = Exchange::echo(Kind::Binary, size);
        *answer.last_mut().expect("a frame is never empty") ^= 1;
        let error = client.exchange(&out, &answer).expect_err("the echo differs").to_string();
        assert!(error.starts_with("wrong answer: "), "{error}");
        assert!(error.ends_with(" 1 bytes before the end"), "{error}");
    }
    Ok(())
}

#[test]
fn an_answer_that_ends_early_is_an_error() -> Result<()> {
    let server = server()?;
    let mut client = Client::upgrade(server.addr(), "/ws/echo")?;
    let Exchange { out, .. } = Exchange::echo(Kind::Text, 2 * MIB);
    let answer = vec![0x88; 1024];
    assert!(client.exchange(&out, &answer).is_err());
    Ok(())
}

#[test]
fn a_refused_upgrade_reports_its_status() -> Result<()> {
    let server = server()?;
    let error = Client::upgrade(server.addr(), "/ws/nothing").expect_err("there is no such route");
    assert_eq!(error.to_string(), "not upgraded: HTTP/1.1 404 Not Found");
    Ok(())
}

#[test]
fn a_snapshot_sent_with_the_upgrade_is_not_lost() -> Result<()> {
    let server = server()?;
    let mut client = Client::upgrade(server.addr(), "/ws/dashboard")?;
    assert!(client.text()?.starts_with(b"{\"skipped\":0,\"seq\":"));
    Ok(())
}
