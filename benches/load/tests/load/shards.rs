//! Shards of a load that run in two processes are merged to the whole.

use std::time::{Duration, SystemTime};

use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{Answer, PROBES, Server};

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
    assert!(matches!(whole.code, Some(0 | 6)), "{}", whole.text);
    whole.adds_up();
    assert_eq!(whole.count("attempted") + 2 * PROBES, server.tally().accepted.get());
    assert_eq!(whole.count("sent"), server.tally().received.get());
    assert_eq!(whole.count("received"), server.tally().sent.get());
    assert_eq!((whole.fault("lost"), server.tally().faults.get()), (25, 25));

    let twice = Load::merge(&[one, one]).run();
    assert!(matches!(twice.code, Some(1 | 2)), "{}", twice.text);
    assert!(twice.says("twice"), "{}", twice.text);
    let strange = Load::new(WHOLE, &server.url()).run();
    let mixed = Load::merge(&[other, &strange]).run();
    assert!(matches!(mixed.code, Some(1 | 2)), "{}", mixed.text);
    assert!(mixed.says("differ"), "{}", mixed.text);
}
