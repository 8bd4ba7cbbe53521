//! Parts of a load, run side by side and added up, are the load.

use std::time::{Duration, SystemTime};

use crate::histograms::{percentile, read};
use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{Answer, KNOCKS, Server};

/// Five connections in two parts: three and two.
const WHOLE: Profile<'_> = Profile {
    target: "",
    pace: "{ open = { rate = 100 } }",
    timeout: "3s",
    traffic: "",
    connections: 5,
    hold: "1s",
    thresholds: "lost = \"<= 25\"\nlatency_p90 = \"< {timeout}\"",
};

/// Both parts against `server`, begun at one moment.
fn halves(server: &Server) -> [Outcome; 2] {
    let soon = SystemTime::now() + Duration::from_secs(3);
    let soon = soon.duration_since(SystemTime::UNIX_EPOCH).expect("it is later").as_secs_f64();
    let begun = ["0/2", "1/2"].map(|shard| {
        let start_at = &soon.to_string();
        let words = ["--shard", shard, "--start-at", start_at, "--run-id", "truth"];
        Load::new(WHOLE, &server.url()).args(words).start()
    });
    begun.map(|run| run.finish())
}

#[test]
fn two_halves_are_the_whole_and_one_is_incomplete() {
    let server = Server::answering(|n, message, _| {
        let is_dropped = n % 10 == 5 && n < 50;
        if is_dropped { Answer::Wrong(vec![]) } else { Answer::Right(message) }
    });
    let halves = halves(&server);
    for (half, connections) in halves.iter().zip([3, 2]) {
        // It did its part. Whether the whole is good is not for a part to say.
        assert_eq!(half.code, Some(0), "{}", half.text);
        assert_eq!(half.report()["verdict"], "incomplete");
        half.adds_up();
        assert_eq!(half.count("attempted"), connections);
        assert_eq!(half.fault("lost"), 5 * connections);
    }
    let [one, other] = &halves;
    Load::merge(&[one]).run().check(6, &["incomplete"]);
    let whole = Load::merge(&[other, one]).run();
    whole.check(0, &[]);
    whole.adds_up();
    assert_eq!(whole.count("attempted") + 2 * KNOCKS, server.tally().accepted.get());
    assert_eq!(whole.count("sent"), server.tally().received.get());
    assert_eq!(whole.count("received"), server.tally().sent.get());
    assert_eq!((whole.fault("lost"), server.tally().faults.get()), (25, 25));

    // Not a mean of percentiles: the percentiles of all that both have seen.
    let (mut seen, log) = (read(&one.out()), read(&whole.out()));
    for (timing, values) in read(&other.out()) {
        let all = seen.entry(timing).or_default();
        all.extend(values);
        all.sort_unstable();
    }
    assert_eq!(seen, log);
    let timing = |name| whole.number(&format!("timings/rtt_intended/{name}"));
    assert_eq!(timing("p90_ns"), percentile(&log["rtt_intended"], 90.0));
    assert_eq!(timing("count"), whole.held("sent"));
}

#[test]
fn a_half_that_is_there_twice_or_of_another_run_is_refused() {
    let server = Server::echo();
    let [one, other] = halves(&server);
    let twice = Load::merge(&[&one, &one]).run();
    assert!(matches!(twice.code, Some(1 | 2)), "{}", twice.text);
    assert!(twice.says("twice"), "{}", twice.text);
    let strange = Load::new(WHOLE, &server.url()).run();
    let mixed = Load::merge(&[&other, &strange]).run();
    assert!(matches!(mixed.code, Some(1 | 2)), "{}", mixed.text);
    assert!(mixed.says("differ"), "{}", mixed.text);
}
