use super::{check_amended, check_refusal};
use crate::profile::Profile;

#[test]
fn a_value_out_of_range_is_refused_with_its_key() {
    check_refusal("name = 'a'", "there is no [[stage]]");
    check_refusal("name = ' '\n[[stage]]\nconnections = 1\nhold = '1s'", "name is empty");
    check_refusal("name = 'a'\n[[stage]]\nconnections = 1", "nothing would be measured");
    check_refusal(
        "name = 'a'\n[[stage]]\nconnections = 0\nhold = '1s'",
        "nothing would be measured",
    );
    check_amended(
        "",
        "[[stage]]\nname = 'stage 1'\nconnections = 1",
        "two stages are named \"stage 1\"",
    );
    for (traffic, words) in [
        ("sizes = []", "traffic.sizes is empty"),
        ("sizes = [{ bytes = 15 }]", "traffic.sizes has 15B; write 16B or more"),
        ("sizes = [{ bytes = '1KiB', share = 0 }]", "the share of 1KiB in traffic.sizes is 0"),
        ("sizes = [{ bytes = 64, share = inf }]", "the share of 64B in traffic.sizes is inf"),
        ("sizes = [{ bytes = 64, share = 1e300 }]", "write a number above 0, such as 1"),
        ("sizes = [{ bytes = '1GiB' }]", "traffic.sizes has 1GiB; write 64MiB or less"),
        ("fragments = 0", "traffic.fragments is 0; write 1 to 1024"),
        ("fragments = 1025\nsizes = [{ bytes = '1MiB' }]", "write 1 to 1024"),
        ("fragments = 65", "the smallest message has 64 B"),
        ("timeout = '0s'", "every answer would be late"),
        ("timeout = '9000h'", "traffic.timeout is 9000h; write a year or less"),
        ("ping = '0s'", "traffic.ping is 0s"),
        ("pace = { open = { rate = 0 } }", "traffic.pace: rate is 0"),
        ("pace = { open = { rate = -1.5 } }", "rate is -1.5"),
        ("pace = { open = { rate = nan } }", "rate is NaN"),
        ("pace = { open = { rate = 1e300 } }", "and up to 1000000, or pace"),
        ("pace = { closed = { depth = 0 } }", "depth is 0"),
    ] {
        check_amended(&format!("[traffic]\n{traffic}"), "", words);
    }
    check_amended("", "ramp = '9000h'", "ramp of stage \"stage 1\" is 9000h; write a year or less");
    check_amended("", "pace = { open = { rate = inf } }", "pace of stage \"stage 1\": rate is inf");
    for (conduct, words) in [
        ("lifetime = '0s'", "conduct.lifetime is 0s"),
        ("storm = { every = '0s', jitter = '0s' }", "conduct.storm.every is 0s"),
        ("storm = { every = '5s', jitter = '5s' }", "conduct.storm.jitter is 5s and every is 5s"),
        ("slow_readers = { connections = 0, bytes_per_s = 0 }", "slow_readers.connections is 0"),
        ("hostile = { rate = 0 }", "conduct.hostile.rate is 0"),
        ("hostile = { rate = 1e9 }", "up to 1000000"),
    ] {
        check_amended(&format!("[conduct]\n{conduct}"), "", words);
    }
}

#[test]
fn percentiles_that_are_none_or_do_not_rise_are_refused() {
    let example = "write numbers above 0 and below 100 that rise, such as [50, 90, 99, 99.9]";
    for (percentiles, words) in [
        ("[0]", format!("percentiles has 0; {example}; the highest is 99.9999")),
        ("[50, 100]", format!("percentiles has 100; {example}")),
        ("[nan]", "percentiles has NaN".to_owned()),
        ("[99, 50]", format!("percentiles is [99.0, 50.0]; {example}")),
        ("[50, 50]", "percentiles is [50.0, 50.0]".to_owned()),
        ("[1,2,3,4,5,6,7,8,9,10,11]", "percentiles has 11 numbers; write 10 or fewer".to_owned()),
    ] {
        check_amended(&format!("percentiles = {percentiles}"), "", &words);
    }
}

#[test]
fn a_target_with_invalid_values_is_refused() {
    for (target, words) in [
        (
            "url = 'http://127.0.0.1'",
            "target.url: \"http://127.0.0.1\" is not the URL of a WebSocket",
        ),
        ("subprotocol = 'a, b'", "allows one word"),
        ("origin = \"a\\nb\"", "write a header value such as"),
        ("bearer_file = 'a'\nbearer_env = 'B'", "both bearer_file and bearer_env"),
        ("headers = { 'a b' = 'c' }", "target.headers has the name \"a b\"; write letters"),
        ("headers = { a = \"b\\r\\nc\" }", "target.headers.a is"),
        (
            "headers = { Sec-WebSocket-Key = 'a' }",
            "cannot contain sec-websocket-key: the handshake sets it",
        ),
        ("headers = { Origin = 'a' }", "cannot contain origin: write target.origin"),
        (
            "mode = { request = { send = 'a', reply = '{seq}' } }",
            "target.mode.request.send has no {seq}",
        ),
        (
            "mode = { request = { send = '{seq}', reply = 'a' } }",
            "target.mode.request.reply has no {seq}",
        ),
        (
            "mode = { subscribe = { sequence = 'seq' } }",
            "not a JSON pointer; write one such as \"/sequence\"",
        ),
    ] {
        check_amended(&format!("[target]\n{target}"), "", words);
    }
}

#[test]
fn a_percentile_beyond_the_longest_time_that_is_told_apart_is_refused() {
    let limit = |limit: &str| format!("[thresholds]\n{limit}");
    let words = "latency_p99 < 1m1s is beyond the 60 s";
    check_amended(&limit("latency_p99 = '< 61s'"), "", words);
    for fine in ["latency_p99 = '< 60s'", "latency_max = '< 61s'"] {
        let toml = format!("name = 'a'\n{}\n[[stage]]\nconnections = 1\nhold = '1s'", limit(fine));
        Profile::parse(&toml, "my.toml").expect(fine);
    }
}

#[test]
fn a_limit_that_cannot_have_samples_is_refused() {
    let subscribe = "[target]\nmode = { subscribe = {} }\n[thresholds]\n";
    let idle = "[traffic]\npace = 'idle'\n[thresholds]\n";
    let closed = "[traffic]\npace = { closed = { depth = 1 } }\n[thresholds]\n";
    for (head, words) in [
        (
            format!("{subscribe}latency_p99 = '< 5ms'"),
            "latency_p99 cannot have samples, so the run could not pass: a subscription",
        ),
        (
            format!("{subscribe}preset = 'development'"),
            "latency_mean of preset development cannot have samples",
        ),
        (format!("{subscribe}lost = '== 0'"), "a subscription sends nothing"),
        (format!("{subscribe}missed_updates = '== 0'"), "write target.mode.subscribe.sequence"),
        (format!("{subscribe}staleness_p99 = '< 1s'"), "write target.mode.subscribe.time_ms"),
        (format!("{idle}latency_p99 = '< 5ms'"), "every pace is idle"),
        (format!("{idle}lost = '== 0'"), "every pace is idle"),
        (format!("{closed}rtt_intended_p99 = '< 5ms'"), "no pace is open"),
        (format!("{closed}achieved_rate = '>= 95%'"), "no pace is open"),
        ("[thresholds]\ngap_p99 = '< 1s'".to_owned(), "only target.mode.subscribe measures it"),
        ("[thresholds]\npings_lost = '== 0'".to_owned(), "write traffic.ping"),
        (
            "[thresholds]\nprovoked_badly = '== 0'".to_owned(),
            "write conduct.hostile or conduct.slow_readers",
        ),
    ] {
        check_amended(&head, "", words);
    }
    check_amended(
        "",
        "[stage.thresholds]\nremaining_allocations = '== 0'",
        "move the limit to [thresholds]",
    );
    check_amended(
        "",
        "[[stage]]\nconnections = 0\nthresholds = { latency_p99 = '< 5ms' }",
        "nothing is measured in a stage without a hold",
    );
    let fine = format!(
        "name = 'a'\n{subscribe}gap_p99 = '< 1s'\nerrors = '<= 1%'\n[[stage]]\nconnections = 1\nhold = '1s'"
    );
    Profile::parse(&fine, "my.toml").expect("a gap has samples");
}
