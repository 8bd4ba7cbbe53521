//! Two reports beside each other.

use crate::profile::Profile;
use crate::run::{Load, Outcome, ws_load};
use crate::server::Server;

fn diff(a: &str, b: &str) -> (Option<i32>, String) {
    ws_load(&["diff", a, b])
}

fn folder(of: &Outcome) -> String {
    of.out().display().to_string()
}

#[test]
fn reports_of_one_load_are_shown_and_those_of_two_are_not_comparable() {
    let server = Server::echo();
    let run =
        |connections| Load::new(Profile { connections, ..Profile::default() }, &server.url()).run();
    let [one, other, larger] = [run(1), run(1), run(2)];
    let (code, said) = diff(&folder(&one), &folder(&other));
    assert_eq!(code, Some(0), "{said}");
    for words in ["p50 ", "p99 ", "received ", "errors ", "this is no verdict", "ws-compare"] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    let file = format!("{}/report.json", folder(&other));
    assert_eq!(diff(&folder(&one), &file).0, Some(0));
    let (code, said) = diff(&folder(&one), &folder(&larger));
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("profile.stage.0.connections (1 and 2)"), "{said}");
}

#[test]
fn what_is_no_report_is_named() {
    let (code, said) = diff("/nowhere", "/nowhere");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("/nowhere") && said.contains("name the folder of --out"), "{said}");
    assert_eq!(ws_load(&["diff", "/nowhere"]).0, Some(2));
}
