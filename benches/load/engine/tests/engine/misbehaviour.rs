//! Hostile peers and slow readers run beside the users, and end with the run.

use std::time::Duration;

use futures::StreamExt;
use load_engine::testing::{Load, Peer};
use load_plan::model::{Phase, Run};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::accept_async;

use crate::support::{Profile, counts, error_text, run};

/// A run of `hold` with ten provocations of `kind` a second, beside one user without traffic.
fn provoked(kind: &str, hold: &str, peer: &Peer) -> Run {
    let traffic = &format!("[conduct]\nhostile = {{ rate = 10, kinds = [\"{kind}\"] }}");
    let profile = Profile { pace: "\"idle\"", traffic, connections: 1, hold, ..Profile::default() };
    run(profile, peer)
}

/// tungstenite as a server, which closes as RFC 6455 demands.
fn strict() -> Peer {
    Peer::raw(|pipe, _| async move {
        let mut socket = accept_async(pipe).await?;
        while let Some(message) = socket.next().await {
            if let Err(error) = message {
                let code = match error {
                    tokio_tungstenite::tungstenite::Error::Utf8(_) => 1007,
                    tokio_tungstenite::tungstenite::Error::Capacity(_) => 1009,
                    _ => 1002,
                };
                let bytes = [&[0x88, 2][..], &u16::to_be_bytes(code)].concat();
                tokio::io::AsyncWriteExt::write_all(socket.get_mut(), &bytes).await?;
                return Ok(());
            }
        }
        Ok(())
    })
}

#[test]
fn a_peer_that_closes_with_the_right_code_reacts_well() {
    for (kind, code) in [
        ("unmasked", "1002"),
        ("reserved_bits", "1002"),
        ("reserved_opcode", "1002"),
        ("long_ping", "1002"),
        ("bad_utf8", "1007"),
        ("huge", "1009"),
    ] {
        let run = provoked(kind, "1s", &strict());
        let all = counts(&run);
        assert!((9..=10).contains(&all.provoked), "{kind}: {}", all.provoked);
        assert_eq!((all.provoked_badly, all.errors()), (0, 0), "{kind}");
        assert_eq!(error_text(&run, "provoked"), format!("{kind}: closed with {code}"));
    }
}

#[test]
fn a_peer_that_keeps_a_provoked_connection_open_reacts_badly() {
    let peer = Peer::raw(|pipe, _| async move {
        let _held = accept_async(pipe).await?;
        std::future::pending().await
    });
    let run = provoked("unmasked", "7s", &peer);
    let all = counts(&run);
    // Provocations younger than five seconds are dropped at the end.
    assert!((18..=21).contains(&all.provoked_badly), "{}", all.provoked_badly);
    assert_eq!(error_text(&run, "provoked"), "unmasked: still open after 5 s");
}

#[test]
fn resets_and_requests_that_are_not_http_are_provocations_too() {
    let reset = provoked("connect_reset", "1s", &Peer::echo());
    assert_eq!(error_text(&reset, "provoked"), "connect_reset: reset at once");
    let reset = provoked("reset_mid_frame", "1s", &Peer::echo());
    assert_eq!(error_text(&reset, "provoked"), "reset_mid_frame: reset in the middle of a frame");
    let dropped = provoked("not_http", "1s", &Peer::echo());
    assert_eq!(error_text(&dropped, "provoked"), "not_http: dropped without an answer");
    let upgraded = provoked("bad_version", "1s", &Peer::echo());
    assert_eq!(counts(&upgraded).provoked_badly, 0, "{}", error_text(&upgraded, "provoked"));
}

#[test]
fn the_end_of_a_run_does_not_wait_for_provocations() {
    let peer = Peer::raw(|mut pipe, counts| {
        let is_silent = counts.accepted.get() > 3;
        async move {
            if is_silent {
                let mut bytes = Vec::new();
                pipe.read_to_end(&mut bytes).await?;
                return Ok(());
            }
            let mut socket = accept_async(pipe).await?;
            while socket.next().await.is_some() {}
            Ok(())
        }
    });
    let run = provoked("half_open", "10s", &peer);
    assert!((99..=100).contains(&counts(&run).provoked));
    let drain = run.length(|at| at.phase == Phase::Drain);
    assert!(drain < Duration::from_millis(20), "{drain:?}");
}

#[test]
fn at_most_256_provocations_are_under_way() {
    let peer = Peer::raw(|pipe, _| async move {
        let _held = accept_async(pipe).await?;
        std::future::pending().await
    });
    let traffic = "[conduct]\nhostile = { rate = 100, kinds = [\"half_open\"] }";
    let profile =
        Profile { pace: "\"idle\"", traffic, connections: 1, hold: "10s", ..Profile::default() };
    assert_eq!(counts(&run(profile, &peer)).provoked, 256);
}

#[test]
fn slow_readers_fill_their_connections_and_leave_at_once_when_the_run_ends() {
    let traffic = "sizes = [{ bytes = \"1KiB\" }]\nwarm_up = \"1s\"\n\
                   [conduct]\nslow_readers = { connections = 2, bytes_per_s = 0 }";
    let peer = Peer::echo();
    let run = run(Profile { traffic, ..Profile::default() }, &peer);
    let all = counts(&run);
    assert_eq!((all.errors(), all.provoked, all.provoked_badly), (0, 2, 0));
    assert_eq!(error_text(&run, "provoked"), "slow reader: still there at the end");
    // Their own messages are not counted as sent; the peer sees the more of them.
    assert!(peer.counts().received.get() > all.sent + 100);
    let drain = run.length(|at| at.phase == Phase::Drain);
    assert!(drain < Duration::from_millis(20), "{drain:?}");
}

#[test]
fn a_slow_reader_that_is_dropped_comes_back_after_a_second() {
    let peer = Peer::upgrading(|mut socket, _| async move {
        // The probe and the user send nothing but close frames.
        while let Some(message) = socket.next().await {
            if message?.is_binary() {
                return Ok(());
            }
        }
        Ok(())
    });
    let traffic = "[conduct]\nslow_readers = { connections = 1, bytes_per_s = \"1KiB\" }";
    let profile =
        Profile { pace: "\"idle\"", traffic, connections: 1, hold: "10s", ..Profile::default() };
    let run = run(profile, &peer);
    let provoked = counts(&run).provoked;
    assert!((5..=11).contains(&provoked), "{provoked}");
    assert_eq!(counts(&run).errors(), 0);
}

#[test]
fn shards_share_slow_readers_and_provocations() {
    let traffic = "[conduct]\nslow_readers = { connections = 3, bytes_per_s = 0 }\n\
                   hostile = { rate = 10, kinds = [\"connect_reset\"] }";
    let profile = Profile { pace: "\"idle\"", traffic, hold: "2s", ..Profile::default() };
    let provoked = [0, 1].map(|index| {
        let load = Load::new(&profile.to_string()).shard(index, 2);
        counts(&load.run(&Peer::echo()).expect("the peer is there")).provoked
    });
    // The first provocation comes after the gap between two of them, 200 ms for each shard.
    assert_eq!(provoked, [2 + 9, 1 + 9]);
}
