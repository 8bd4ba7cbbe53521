use super::frame::{Frame, MASK, client, first_number};
use super::pattern::{DIGITS, Pattern, Rule};
use super::script::{Script, shown};
use super::*;

const CHAT: &str = r#"
path = "/chat"
subprotocol = "v1.chat"
headers = { authorization = "Bearer x" }
connections = 8
open = [{ expect = { prefix = "hello" } }, { send = "join", expect = { frames = 2 } }, { send = "quiet" }]
[[exchange]]
send = '{"id":{seq},"method":"say"}'
expect = { contains = '"id":{seq}' }
[[exchange]]
send = "ping"
binary = true
"#;

fn parse(text: &str) -> Result<Conversation, String> {
    Conversation::parse(text, "file.toml").map_err(|error| error.to_string())
}

#[track_caller]
fn check(text: &str, words: &[&str]) {
    let error = parse(text).expect_err("it is refused");
    assert!(error.starts_with("file.toml: ") && !error.contains('\n'), "{error}");
    for words in words {
        assert!(error.contains(words), "no {words:?} in: {error}");
    }
}

#[test]
fn a_conversation_is_read_and_written_without_a_loss() {
    let chat = parse(CHAT).expect("it is right");
    assert_eq!((chat.connections, chat.open.len(), chat.exchanges.len()), (8, 3, 2));
    let written = toml::to_string(&chat).expect("it fits");
    assert_eq!(parse(&written).expect("it was written"), chat);
    let least = parse("[[exchange]]\nsend = 'hi'").expect("it is right");
    assert_eq!(least.connections, 1);
}

#[test]
fn a_file_that_is_missing_or_endless_is_refused_with_its_name() {
    let load = |file: &str| Conversation::load(file.as_ref()).expect_err(file).to_string();
    assert!(load("/nowhere.toml").starts_with("cannot read the conversation /nowhere.toml: "));
    assert!(load("/dev/zero").starts_with("/dev/zero: the file is longer than 1 MiB"));
}

#[test]
fn an_unknown_key_or_a_wrong_value_is_refused_with_its_line_and_what_is_known() {
    check("[[exchange]]\nsned = 'x'", &["line 2", "sned", "send"]);
    check("[[exchange]]\nsend = 'x'\nexpect = { suffix = 'x' }", &["suffix", "prefix"]);
    check("paths = '/'", &["line 1", "paths", "path"]);
    check("connections = 'two'\n[[exchange]]\nsend = 'x'", &["connections", "\"two\""]);
    check("[[exchange]]\nsend = 1", &["line 2: send", "1", "string"]);
    check("exchange = ", &["line 1"]);
}

#[test]
fn a_conversation_without_a_question_is_refused() {
    check("", &["no [[exchange]]", "send = "]);
    check("[[exchange]]\nexpect = { frames = 1 }", &["no [[exchange]] has send"]);
    check("[[exchange]]", &["exchange 1 has neither send nor expect"]);
    check("open = [{}]\n[[exchange]]\nsend = 'x'", &["open step 1 has neither"]);
}

/// An exchange that expects this.
fn expecting(expect: &str) -> String {
    format!("[[exchange]]\nsend = 'x'\nexpect = {expect}")
}

#[test]
fn a_rule_that_every_answer_keeps_is_refused() {
    check(&expecting("{}"), &["exchange 1: expect is empty", "frames = 1"]);
    check(&expecting("{ prefix = '' }"), &["expect.prefix is \"\"", "frames = 1"]);
    check(&expecting("{ contains = '' }"), &["expect.contains is \"\""]);
    check(&expecting("{ frames = 0 }"), &["expect.frames is 0", "1 to 65536"]);
    check(&expecting("{ frames = 65537 }"), &["expect.frames is 65537"]);
    check(&expecting("{ exact = 'a', prefix = 'b' }"), &["both exact and prefix"]);
    parse(&expecting("{ exact = '' }")).expect("an answer may be empty");
}

#[test]
fn a_number_that_was_not_sent_or_touches_a_digit_is_refused() {
    check(&expecting("{ contains = 'id {seq}' }"), &["\"id {seq}\"", "no send", "write {seq}"]);
    // Sent later, so the answer cannot have it.
    let later = format!("{}\n[[exchange]]\nsend = '{{seq}}'", expecting("{ prefix = '{seq}' }"));
    check(&later, &["exchange 1", "no send up to there"]);
    for text in ["1{seq}", "{seq}0", "{seq}{seq}", "a{seq}{seq}b"] {
        check(&format!("[[exchange]]\nsend = '{text}'"), &[text, "touches a digit"]);
    }
    check("[[exchange]]\nsend = '{ Seq }'", &["{ Seq } is no number", "write {seq}"]);
    parse("[[exchange]]\nsend = '{seq} {seq}'").expect("two numbers, apart");
}

#[test]
fn too_few_and_too_many_connections_are_refused() {
    check("connections = 0\n[[exchange]]\nsend = 'x'", &["connections is 0", "1 to 4096"]);
    check("connections = 4097\n[[exchange]]\nsend = 'x'", &["connections is 4097"]);
    check("connections = -1\n[[exchange]]\nsend = 'x'", &["connections", "-1"]);
}

#[test]
fn a_header_or_a_path_cannot_smuggle_a_line_into_the_request() {
    let exchange = "[[exchange]]\nsend = 'x'";
    let refused = |line: &str, words: &[&str]| check(&format!("{line}\n{exchange}"), words);
    refused(r#"headers = { x = "a\r\nevil: 1" }"#, &["headers.x", "one line"]);
    refused(r#"headers = { "a b" = "x" }"#, &["\"a b\"", "hyphens"]);
    refused(r#"headers = { Upgrade = "h2c" }"#, &["cannot contain Upgrade"]);
    refused(r#"headers = { Sec-WebSocket-Protocol = "x" }"#, &["write subprotocol"]);
    refused(r#"subprotocol = "a, b""#, &["subprotocol is \"a, b\""]);
    refused(r#"path = "/a b""#, &["path is \"/a b\""]);
    refused(r#"path = "ws""#, &["begins with /"]);
    refused(r#"path = "/\r\nevil: 1""#, &["path is"]);
}

fn unmasked(frame: &[u8], header: usize) -> String {
    let payload = frame[header..].iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    String::from_utf8(payload.collect()).expect("it is text")
}

#[test]
fn a_number_is_patched_into_a_masked_frame() {
    let mut frame = Frame::new(false, Pattern::new("a{seq}bc{seq}d"));
    let text = "a1000000000bc1000000000d";
    assert_eq!(unmasked(frame.bytes(), 6), text);
    frame.set_number(1_234_567_890);
    assert_eq!(frame.bytes(), client(false, b"a1234567890bc1234567890d"));
    let long = "x".repeat(200);
    let mut frame = Frame::new(true, Pattern::new(&format!("{long}{{seq}}")));
    frame.set_number(1_000_000_007);
    assert_eq!(frame.bytes(), client(true, format!("{long}1000000007").as_bytes()));
}

#[test]
fn first_numbers_have_ten_digits_fit_an_i32_and_differ() {
    let numbers: std::collections::BTreeSet<u64> = (0..100_000).map(first_number).collect();
    assert_eq!(numbers.len(), 100_000);
    assert!(numbers.iter().all(|number| number.to_string().len() == DIGITS));
    assert!(numbers.iter().all(|number| i32::try_from(*number).is_ok()));
}

#[test]
fn a_number_is_not_found_in_a_longer_one() {
    let rule = |text: &str| Rule::Contains(Pattern::new(text));
    for (pattern, answer, accepted) in [
        ("{seq}", "7", true),
        ("{seq}", "17", false),
        ("{seq}", "71", false),
        ("{seq}", "17 7", true),
        ("id:{seq}", "id:7", true),
        ("id:{seq}", "id:71", false),
        ("id:{seq}", "id:07", false),
        ("id:{seq}", "id:6,id:7", true),
        ("{seq}!", "17!", false),
        ("{seq}-{seq}", "7-8 7-7", true),
        ("{seq}-{seq}", "7-8", false),
    ] {
        assert_eq!(rule(pattern).accepts(answer.as_bytes(), 7), accepted, "{pattern} in {answer}");
    }
    assert!(!Rule::Prefix(Pattern::new("id {seq}")).accepts(b"id 71", 7));
    assert!(!Rule::Exact(Pattern::new("id {seq}")).accepts(b"id 7 ", 7));
    let numbers = |text: &[u8]| rule("id:{seq}").numbers(text).collect::<Vec<_>>();
    assert_eq!(numbers(b"x id:42, id:43"), [42, 43]);
    assert!(numbers(b"id:99999999999999999999999").is_empty());
    assert_eq!(Rule::Any.numbers(b"7").count(), 0);
    for number in [0, 7, first_number(9), u64::MAX] {
        let mut text = b"x".to_vec();
        Pattern::new("id:{seq}").write(number, &mut text);
        assert_eq!(numbers(&text), [number]);
    }
}

#[test]
fn each_rule_accepts_its_texts_and_no_others() {
    let abc = || Pattern::new("abc");
    for (rule, accepted, refused) in [
        (Rule::Exact(abc()), &["abc"][..], &["abcd", "xabc", "", "ab"][..]),
        (Rule::Prefix(abc()), &["abc", "abcd"], &["xabc", "", "ab"]),
        (Rule::Contains(abc()), &["abc", "abcd", "xabc", "1abc"], &["ab", "", "axbc"]),
        (Rule::Any, &["", "abc"], &[]),
    ] {
        assert!(accepted.iter().all(|text| rule.accepts(text.as_bytes(), 7)), "{rule:?}");
        assert!(!refused.iter().any(|text| rule.accepts(text.as_bytes(), 7)), "{rule:?}");
    }
}

#[test]
fn an_exchange_without_expect_demands_its_text_and_an_open_step_nothing() {
    let script = Script::new(&parse(CHAT).expect("it is right"));
    assert!(script.open[2].answer.is_none());
    let echo = script.exchanges[1].answer.as_ref().expect("it demands an answer");
    assert!(echo.binary && echo.rule.accepts(b"ping", 7) && !echo.rule.accepts(b"pong", 7));
    assert_eq!(echo.wanted(7), "a binary message \"ping\"");
    let contains = script.exchanges[0].answer.as_ref().expect("it demands an answer");
    assert_eq!(contains.wanted(7), r#"a text that contains "\"id\":7""#);
    assert_eq!(script.open[1].answer.as_ref().map(|answer| answer.frames), Some(2));
}

#[test]
fn the_built_in_echo_has_its_size_and_numbers_its_messages() {
    for size in [0, 9, 10, 64, 16_384] {
        let echo = Conversation::echo(size, false);
        echo.check().expect("it is right");
        let script = Script::new(&echo);
        let line = &script.exchanges[0];
        let frame = line.send.as_ref().expect("it sends");
        assert_eq!(frame.bytes().len(), client(false, &vec![0; size]).len());
        let rule = &line.answer.as_ref().expect("it demands an answer").rule;
        assert_eq!(rule.has_number(), size >= DIGITS);
    }
}

#[test]
fn a_text_of_an_error_is_quoted_and_cut() {
    assert_eq!(shown(b"a\"b\n"), r#""a\"b\n""#);
    let cut = shown(&[b'x'; 200]);
    assert!(cut.len() < 190 && cut.ends_with("… (200 bytes)"), "{cut}");
}
