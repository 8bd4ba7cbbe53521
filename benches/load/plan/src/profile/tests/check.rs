use super::{check_amended, check_refusal};
use crate::profile::Profile;

#[test]
fn what_makes_no_sense_is_refused_by_its_key() {
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
        "two stages are called \"stage 1\"",
    );
    for (traffic, words) in [
        ("sizes = []", "traffic.sizes is empty"),
        ("sizes = [{ bytes = 15 }]", "traffic.sizes has 15B; a message needs 16 B"),
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
        ("pace = { open = { rate = 1e300 } }", "up to 1000000 on each connection"),
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
fn a_target_that_cannot_be_spoken_to_is_refused() {
    for (target, words) in [
        ("url = 'http://127.0.0.1'", "target.url: \"http://127.0.0.1\" is no URL of a WebSocket"),
        ("subprotocol = 'a, b'", "allows one word"),
        ("origin = \"a\\nb\"", "no header's value"),
        ("bearer_file = 'a'\nbearer_env = 'B'", "both bearer_file and bearer_env"),
        ("headers = { 'a b' = 'c' }", "\"a b\", which is no header's name"),
        ("headers = { a = \"b\\r\\nc\" }", "target.headers.a is"),
        (
            "headers = { Sec-WebSocket-Key = 'a' }",
            "cannot have sec-websocket-key: the handshake writes it",
        ),
        ("headers = { Origin = 'a' }", "cannot have origin: write target.origin"),
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
            "no JSON pointer; write one such as \"/sequence\"",
        ),
    ] {
        check_amended(&format!("[target]\n{target}"), "", words);
    }
}

#[test]
fn a_limit_that_can_have_no_samples_is_refused() {
    let subscribe = "[target]\nmode = { subscribe = {} }\n[thresholds]\n";
    let idle = "[traffic]\npace = 'idle'\n[thresholds]\n";
    let closed = "[traffic]\npace = { closed = { depth = 1 } }\n[thresholds]\n";
    for (head, words) in [
        (
            format!("{subscribe}latency_p99 = '< 5ms'"),
            "latency_p99 could have no samples, which is no pass: a subscription",
        ),
        (
            format!("{subscribe}preset = 'development'"),
            "latency_mean of preset development could have no samples",
        ),
        (format!("{subscribe}lost = '== 0'"), "a subscription sends nothing"),
        (format!("{subscribe}missed_updates = '== 0'"), "no target.mode.subscribe.sequence"),
        (format!("{subscribe}staleness_p99 = '< 1s'"), "no target.mode.subscribe.time_ms"),
        (format!("{idle}latency_p99 = '< 5ms'"), "every pace is idle"),
        (format!("{idle}lost = '== 0'"), "every pace is idle"),
        (format!("{closed}rtt_intended_p99 = '< 5ms'"), "no pace is open"),
        (format!("{closed}achieved_rate = '>= 95%'"), "no pace is open"),
        ("[thresholds]\ngap_p99 = '< 1s'".to_owned(), "only target.mode.subscribe has it"),
        ("[thresholds]\npings_lost = '== 0'".to_owned(), "no traffic.ping"),
        ("[thresholds]\nprovoked_badly = '== 0'".to_owned(), "neither conduct.hostile nor"),
    ] {
        check_amended(&head, "", words);
    }
    check_amended(
        "",
        "[stage.thresholds]\nremaining_allocations = '== 0'",
        "move it to [thresholds]",
    );
    check_amended(
        "",
        "[[stage]]\nconnections = 0\nthresholds = { latency_p99 = '< 5ms' }",
        "the stage is not held",
    );
    let fine = format!(
        "name = 'a'\n{subscribe}gap_p99 = '< 1s'\nerrors = '<= 1%'\n[[stage]]\nconnections = 1\nhold = '1s'"
    );
    Profile::parse(&fine, "my.toml").expect("a gap has samples");
}
