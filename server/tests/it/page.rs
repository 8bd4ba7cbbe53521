//! The page's files as a browser gets them.

use server::Config;

use crate::support::{Server, client, get, text};

#[test]
fn the_page_may_load_its_own_files_and_nothing_else() {
    let page = get(Server::start().addr(), "/");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").expect("a policy");
    let mut sources =
        policy.split("; ").map(|rule| rule.split_once(' ').expect("a rule has sources"));
    assert_eq!(sources.next(), Some(("default-src", "'none'")));
    // The script and the style inside the page are allowed by their hashes.
    let is_own = |(_, allowed): (&str, &str)| match allowed {
        "'none'" | "'self'" | "'self' data:" => true,
        _ => allowed
            .trim_start_matches("'self' ")
            .strip_prefix("'sha256-")
            .is_some_and(|hash| hash.len() == 45),
    };
    assert!(sources.all(is_own), "{policy}");
    assert!(page.body.starts_with("<!doctype html>"));
}

#[test]
fn every_file_that_the_page_names_is_served() {
    let server = Server::start();
    let page = get(server.addr(), "/").body;
    let named = page.split('"').filter(|text| text.starts_with("/page/"));
    let mut count = 0;
    for path in named {
        let file = get(server.addr(), path);
        assert_eq!(
            (file.status, file.header("x-content-type-options")),
            (200, Some("nosniff")),
            "{path}"
        );
        count += 1;
    }
    assert!(count >= 4, "{count} files");
}

#[test]
fn a_server_at_its_limit_refuses_the_page_and_answers_healthz() {
    let server = Server::with(Config { max_connections: 1, ..Config::default() });
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    text(&mut subscriber);
    for (path, status) in [("/", 503), ("/page/main.js", 503), ("/healthz", 200)] {
        assert_eq!(get(server.addr(), path).status, status, "{path}");
    }
}
