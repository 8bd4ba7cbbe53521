//! Shards of a load that run in two processes are merged to the whole.

use std::time::{Duration, SystemTime};

use crate::busy::holds;
use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{Answer, Server};

/// Five connections, which two shards share as three and two.
const WHOLE: Profile<'_> = Profile {
    target: "",
    pace: "{ open = { rate = 100 } }",
    timeout: "1s",
    traffic: "",
    connections: 5,
    hold: "200ms",
    thresholds: "lost = \"<= 25\"\nlatency_p50 = \"< 20s\"",
};

/// Both shards, with one agreed start that leaves them time to begin.
fn shards(server: &Server) -> [Outcome; 2] {
    let start = SystemTime::now() + Duration::from_secs(2);
    let start = start.duration_since(SystemTime::UNIX_EPOCH).expect("it is later").as_secs_f64();
    let running = ["0/2", "1/2"].map(|shard| {
        let start_at = &start.to_string();
        let arguments = ["--shard", shard, "--start-at", start_at, "--run-id", "test"];
        Load::new(WHOLE, &server.url()).args(arguments).start()
    });
    running.map(|run| run.finish())
}

#[test]
fn merged_shards_are_the_whole_and_one_shard_is_incomplete() {
    let server =
        Server::answering(
            |n, message| {
                if n < 5 { Answer::Wrong(vec![]) } else { Answer::Right(message) }
            },
        );
    let halves = shards(&server);
    for (half, connections) in halves.iter().zip([3, 2]) {
        // A shard succeeds when it has done its part; only the whole is judged.
        assert_eq!(half.code, Some(0), "{}", half.text);
        assert_eq!(half.report()["verdict"], "incomplete");
        half.adds_up();
        assert_eq!(half.count("attempted"), connections);
        assert_eq!(half.fault("lost"), 5 * connections);
    }
    let [one, other] = &halves;
    Load::merge(&[one]).run().check(6, &["incomplete"]);
    let whole = Load::merge(&[other, one]).run();
    // Shards that a busy machine holds up by more than a tenth of their short hold are a doubt.
    holds(whole.code, &whole.text);
    whole.adds_up();
    assert_eq!(whole.count("attempted") + 2, server.tally().accepted.get());
    assert_eq!(whole.count("sent"), server.tally().received.get());
    assert_eq!(whole.count("received"), server.tally().sent.get());
    assert_eq!((whole.fault("lost"), server.tally().faults.get()), (25, 25));

    let dead = tempfile::tempdir().expect("there is room for a folder");
    let dead = dead.path().to_str().expect("a temporary folder has a plain name");
    for gone in [dead, "/nowhere"] {
        let part = Load::merge(&[one]).args([gone]).run();
        part.check(6, &["incomplete", "1 is missing: 1", &format!("no report is in {gone}")]);
    }
    let more = Load::merge(&[one, other]).args([dead]).run();
    assert_eq!(more.code, Some(1), "{}", more.text);
    assert!(more.says("no shard is missing") && !more.has_report(), "{}", more.text);

    let twice = Load::merge(&[one, one]).run();
    assert!(matches!(twice.code, Some(1 | 2)), "{}", twice.text);
    assert!(twice.says("twice"), "{}", twice.text);
    let strange = Load::new(WHOLE, &server.url()).run();
    let mixed = Load::merge(&[other, &strange]).run();
    assert!(matches!(mixed.code, Some(1 | 2)), "{}", mixed.text);
    assert!(mixed.says("differ"), "{}", mixed.text);
}

#[test]
fn two_shards_with_one_folder_are_not_both_a_success() {
    let server = Server::echo();
    let one = Load::new(WHOLE, &server.url());
    let shared = one.file("shared.toml", "").with_file_name("out");
    let start = SystemTime::UNIX_EPOCH.elapsed().expect("it is later").as_secs() + 3;
    let start = start.to_string();
    let arguments =
        |shard| ["--overwrite", "--shard", shard, "--start-at", &start, "--run-id", "test"];
    let one = one.args(arguments("0/2")).start();
    let other = Load::within(&[], WHOLE, &server.url(), shared.to_str().expect("a plain name"));
    let other = other.args(arguments("1/2")).start();
    let shards = [one.finish(), other.finish()];
    assert_ne!(shards.each_ref().map(|shard| shard.code), [Some(0), Some(0)]);
    // A machine that is too slow for the agreed start fails both.
    let whys = ["another ws-load writes", "holds shard", "passed"];
    for shard in shards.iter().filter(|shard| shard.code != Some(0)) {
        assert!(whys.iter().any(|why| shard.says(why)), "{}", shard.text);
    }
}
