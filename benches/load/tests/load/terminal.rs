//! What a terminal shows, and what a pipe gets instead.

use crate::profile::Profile;
use crate::run::Load;
use crate::server::Server;

#[test]
fn a_verdict_is_coloured_on_request_and_a_pipe_gets_words_alone() {
    let server = Server::echo();
    let load = Load::new(Profile::default(), &server.url()).env("CLICOLOR_FORCE", "1");
    let run = load.run();
    run.check(0, &["\x1b[1m\x1b[32m✓ PASS\x1b[0m: test", "\x1b[32m✓ met\x1b[0m"]);
    let piped = Load::merge(&[&run]).run();
    piped.check(0, &["✓ PASS: test", "✓ met"]);
    assert!(!piped.text.contains('\x1b'), "{}", piped.text);
}
