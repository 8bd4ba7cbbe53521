//! Credentials that a server demands for the upgrade are sent, and do not leave the run.

use server::access::Token;
use server::{Access, Config, Embedded};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{Answer, Server, serve};

const TOKEN: &str = "sesame-7f3a9c";

/// An echo for clients that send `header: value`; all others are refused.
#[expect(clippy::result_large_err, reason = "tungstenite defines the type of the callback")]
fn guarded(header: &'static str, value: &'static str) -> Server {
    Server::start(move |stream, tally| async move {
        let guard = |request: &Request, mut response: Response| {
            if request.headers().get(header) == Some(&HeaderValue::from_static(value)) {
                if header == "sec-websocket-protocol" {
                    response.headers_mut().insert(header, HeaderValue::from_static(value));
                }
                return Ok(response);
            }
            let mut refusal = ErrorResponse::new(Some("no access".to_owned()));
            *refusal.status_mut() = StatusCode::UNAUTHORIZED;
            Err(refusal)
        };
        let socket = accept_hdr_async(stream, guard).await?;
        serve(socket, tally, |_, message| Answer::Right(message)).await
    })
}

fn load(server: &Server) -> Load {
    Load::new(Profile::default(), &server.url())
}

#[track_caller]
fn check_access(outcome: &Outcome) {
    outcome.check(0, &[]);
    outcome.adds_up();
    assert_eq!(outcome.count("opened"), 3);
    assert!(!outcome.reveals(TOKEN), "the token is in the report or in: {}", outcome.text);
}

#[test]
fn a_refused_client_gets_the_status_and_exit_code_1() {
    let server = guarded("authorization", "Bearer sesame-7f3a9c");
    let outcome = load(&server).run();
    outcome.check(1, &["401", "--bearer-file FILE"]);
    assert_eq!(server.tally().received.get(), 0);
}

#[test]
fn a_bearer_token_is_read_from_a_file_or_from_the_environment() {
    let server = guarded("authorization", "Bearer sesame-7f3a9c");
    let from_file = load(&server);
    let file = from_file.file("token", "sesame-7f3a9c\n");
    check_access(&from_file.args(["--bearer-file".as_ref(), file.as_os_str()]).run());
    let from_environment = load(&server).args(["--bearer-env", "TEST_TOKEN"]);
    check_access(&from_environment.env("TEST_TOKEN", TOKEN).run());
}

#[test]
fn a_server_of_ours_takes_its_token_and_no_foreign_origin() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let token = Some(Token::new(TOKEN).expect("it has 128 bits"));
    let access = Access { token, ..Access::default() };
    let server = Embedded::start(Config { access, ..Config::default() }).expect("a port is free");
    let url = format!("ws://{}/ws/echo", server.addr());
    let load = || Load::new(Profile::default(), &url);
    load().run().check(1, &["401", "--bearer-file FILE"]);
    let guarded = load();
    let file = guarded.file("token", TOKEN);
    let guarded = guarded.args(["--token-file".as_ref(), file.as_os_str()]);
    let outcome = guarded.run();
    outcome.check(0, &[]);
    assert!(!outcome.reveals(TOKEN), "{}", outcome.text);
    let foreign = load();
    let file = foreign.file("token", TOKEN);
    let foreign = foreign.args(["--bearer-file".as_ref(), file.as_os_str()]);
    foreign.args(["--origin", "https://evil.example"]).run().check(1, &["403", "--origin"]);
}

#[test]
fn a_missing_bearer_token_is_reported_before_anything_is_sent() {
    let server = guarded("authorization", "Bearer sesame-7f3a9c");
    for arguments in [["--bearer-file", "/nowhere/token"], ["--bearer-env", "TEST_NO_TOKEN"]] {
        let outcome = load(&server).args(arguments).run();
        assert!(matches!(outcome.code, Some(1 | 2)), "{}", outcome.text);
        outcome.check(outcome.code.unwrap_or_default(), &[arguments[1]]);
    }
    assert_eq!(server.tally().accepted.get(), 0);
}

#[test]
fn headers_origin_and_subprotocol_are_sent() {
    let tenant = guarded("x-tenant", "harbour");
    check_access(&load(&tenant).args(["--header", "X-Tenant: harbour"]).run());
    let target = "headers = { X-Tenant = \"harbour\" }";
    check_access(&Load::new(Profile { target, ..Profile::default() }, &tenant.url()).run());
    let origin = guarded("origin", "https://harbour.example");
    check_access(&load(&origin).args(["--origin", "https://harbour.example"]).run());
    let subprotocol = guarded("sec-websocket-protocol", "plumb.v2");
    check_access(&load(&subprotocol).args(["--subprotocol", "plumb.v2"]).run());
}

#[test]
fn a_secret_header_is_sent_and_not_reported() {
    let server = guarded("authorization", "Basic sesame-7f3a9c");
    check_access(&load(&server).args(["--header", "Authorization: Basic sesame-7f3a9c"]).run());
    let server = guarded("x-api-key", TOKEN);
    check_access(&load(&server).args(["--header", "X-Api-Key: sesame-7f3a9c"]).run());
}

#[test]
fn a_password_in_a_url_is_refused_and_not_repeated() {
    let outcome = Load::new(Profile::default(), "ws://me:sesame-7f3a9c@127.0.0.1:1/").run();
    outcome.check(2, &["--bearer-env"]);
    assert!(!outcome.text.contains(TOKEN), "{}", outcome.text);
}
