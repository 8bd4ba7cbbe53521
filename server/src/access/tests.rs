use super::*;

const BOUND: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn access(origins: &[&str], hosts: &[&str]) -> Access {
    Access {
        origins: origins.iter().map(|origin| origin.parse().expect("an origin")).collect(),
        hosts: hosts.iter().map(|host| host.parse().expect("a host")).collect(),
        ..Access::default()
    }
}

fn checked(access: &Access, bound: &str, host: &[&str], origin: &[&str]) -> Result<(), Refusal> {
    let mut headers = HeaderMap::new();
    for (name, values) in [(HOST, host), (ORIGIN, origin)] {
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
            headers.append(&name, value);
        }
    }
    access.check(Secrecy::Data, Some(bound.parse().expect("an address")), None, &headers)
}

#[test]
fn a_server_on_loopback_answers_loopback_names_and_no_other_host() {
    for host in [
        "localhost",
        "LOCALHOST:9001",
        "127.0.0.1:9001",
        "127.9.9.9",
        "[::1]:9001",
        "[::ffff:127.0.0.1]",
    ] {
        assert_eq!(checked(&Access::default(), "127.0.0.1", &[host], &[]), Ok(()), "{host}");
    }
    for host in [
        "rebound.evil.example",
        "rebound.evil.example:9001",
        "localhost.evil.example",
        "evil-localhost",
        "a.localhost",
        "localhost.",
        "localhost:",
        "localhost@evil.example",
        "evil.example@localhost",
        "192.168.1.5",
        "0.0.0.0",
        "[::]",
        "127.1",
        "2130706433",
        "0x7f000001",
        "",
        " ",
        "a b",
        "local\u{131}host",
        "localhost, evil.example",
        "localhost/",
    ] {
        assert_eq!(
            checked(&Access::default(), "127.0.0.1", &[host], &[]),
            Err(Refusal::Host),
            "{host}"
        );
    }
    assert_eq!(
        checked(&Access::default(), "127.0.0.1", &["localhost", "evil.example"], &[]),
        Err(Refusal::Host)
    );
    // Only HTTP/1.0 may leave it out, and no browser does.
    assert_eq!(checked(&Access::default(), "127.0.0.1", &[], &[]), Ok(()));
}

#[test]
fn the_bound_address_is_answered_and_any_address_if_all_are_bound() {
    let listed = access(&["https://plimsoll.example"], &["harbour.example"]);
    for (bound, host, expected) in [
        ("192.168.1.5", "192.168.1.5:9001", Ok(())),
        ("192.168.1.5", "192.168.1.6:9001", Err(Refusal::Host)),
        ("192.168.1.5", "plimsoll.example", Ok(())),
        ("192.168.1.5", "harbour.example:1", Ok(())),
        ("192.168.1.5", "HARBOUR.example", Ok(())),
        ("192.168.1.5", "www.harbour.example", Err(Refusal::Host)),
        ("192.168.1.5", "harbour.example.evil.example", Err(Refusal::Host)),
        ("0.0.0.0", "192.168.1.6:9001", Ok(())),
        ("0.0.0.0", "[fd00::7]", Ok(())),
        ("::", "192.168.1.6", Ok(())),
        ("::", "evil.example", Err(Refusal::Host)),
        ("::ffff:192.168.1.5", "192.168.1.5", Ok(())),
        ("::ffff:192.168.1.5", "192.168.1.6", Err(Refusal::Host)),
    ] {
        assert_eq!(checked(&listed, bound, &[host], &[]), expected, "{bound} {host}");
    }
}

#[test]
fn the_target_of_a_request_stands_above_its_host() {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("localhost"));
    let check =
        |target| Access::default().check(Secrecy::Page, Some(BOUND), Some(target), &headers);
    assert_eq!(check("localhost:9001"), Ok(()));
    assert_eq!(check("evil.example"), Err(Refusal::Host));
    assert_eq!(check("localhost@evil.example"), Err(Refusal::Host));
}

#[test]
fn the_own_page_is_admitted_under_every_name_of_loopback() {
    for (host, origin) in [
        ("localhost:9001", "http://localhost:9001"),
        ("LOCALHOST:9001", "HTTP://localhost:9001"),
        ("127.0.0.1:9001", "http://localhost:9001"),
        ("localhost:9001", "http://127.0.0.1:9001"),
        ("localhost", "http://localhost"),
        ("localhost", "http://localhost:80"),
        ("localhost:80", "http://localhost"),
        // Behind a proxy that takes TLS off.
        ("localhost", "https://localhost"),
        ("localhost:443", "https://localhost"),
    ] {
        assert_eq!(
            checked(&Access::default(), "127.0.0.1", &[host], &[origin]),
            Ok(()),
            "{host} {origin}"
        );
    }
}

#[test]
fn a_foreign_page_is_refused_whatever_its_origin_looks_like() {
    for origin in [
        "https://evil.example",
        "http://evil.example:9001",
        "null",
        "",
        "*",
        "http://localhost.evil.example:9001",
        "http://evil-localhost:9001",
        "http://localhost:9001.evil.example",
        "http://localhost:9001@evil.example",
        "http://evil.example@localhost:9001",
        "http://localhost.:9001",
        "http://localhost:9001/",
        "localhost:9001",
        "//localhost:9001",
        "http://localhost",
        "http://localhost:3000",
        "https://localhost:9002",
        "http://127.0.0.1:3000",
        "file://",
        "http://[::1]:3000",
        "http://[::1]:9001",
        "http://127.9.9.9:9001",
        "chrome-extension://abcdef",
        "http://localhost:9001 http://evil.example",
        "http://l\u{f6}calhost:9001",
        "ftp://127.0.0.1:9001",
        "ftp://localhost:9001",
        "tauri://localhost:9001",
    ] {
        let refused = checked(&Access::default(), "127.0.0.1", &["localhost:9001"], &[origin]);
        assert_eq!(refused, Err(Refusal::Origin), "{origin}");
    }
    assert_eq!(
        checked(&Access::default(), "127.0.0.1", &["localhost"], &["tauri://localhost"]),
        Err(Refusal::Origin)
    );
    let own = "http://localhost:9001";
    for origins in [[own, "https://evil.example"], ["https://evil.example", own], [own, own]] {
        assert_eq!(
            checked(&Access::default(), "127.0.0.1", &["localhost:9001"], &origins),
            Err(Refusal::Origin)
        );
    }
    assert_eq!(checked(&Access::default(), "127.0.0.1", &[], &[own]), Err(Refusal::Origin));
}

#[test]
fn a_listed_origin_is_admitted_exactly() {
    let listed =
        access(&["https://plimsoll.example", "http://localhost:3000"], &["harbour.example"]);
    for (host, origin, expected) in [
        ("plimsoll.example", "https://plimsoll.example", Ok(())),
        ("plimsoll.example:9001", "https://PLIMSOLL.example:443", Ok(())),
        ("localhost:9001", "https://plimsoll.example", Ok(())),
        ("localhost:9001", "http://localhost:3000", Ok(())),
        ("localhost:9001", "http://localhost:3001", Err(Refusal::Origin)),
        // Known from its origin alone: not under another scheme or port.
        ("plimsoll.example", "http://plimsoll.example", Err(Refusal::Origin)),
        ("plimsoll.example:8443", "https://plimsoll.example:8443", Err(Refusal::Origin)),
        ("plimsoll.example", "https://plimsoll.example.evil.example", Err(Refusal::Origin)),
        // A listed host serves its own pages.
        ("harbour.example", "https://harbour.example", Ok(())),
        ("harbour.example:9001", "http://harbour.example:9001", Ok(())),
        ("harbour.example:9001", "http://harbour.example", Err(Refusal::Origin)),
        ("harbour.example", "https://evil.example", Err(Refusal::Origin)),
    ] {
        assert_eq!(checked(&listed, "127.0.0.1", &[host], &[origin]), expected, "{host} {origin}");
    }
}

#[test]
fn a_bind_beyond_loopback_needs_origins_and_a_token() {
    let origin = access(&["https://plimsoll.example"], &[]);
    let host = access(&[], &["harbour.example"]);
    let insecure = Access { insecure: true, ..Access::default() };
    for ip in [
        "0.0.0.0",
        "::",
        "192.168.1.5",
        "8.8.8.8",
        "fd00::7",
        "::ffff:192.168.1.5",
        "::ffff:0.0.0.0",
        "169.254.1.1",
    ] {
        let ip = ip.parse().expect("an address");
        let both = Some("--allow-origin https://HOST and --token-file FILE");
        assert_eq!((Access::default().lacks(ip), host.lacks(ip)), (both, both), "{ip}");
        assert_eq!(
            (origin.lacks(ip), insecure.lacks(ip)),
            (Some("--token-file FILE"), both),
            "{ip}"
        );
        let addr = (ip, 9001).into();
        assert!(origin.check_bind(addr).is_err() && insecure.check_bind(addr).is_ok(), "{ip}");
    }
    for ip in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(Access::default().lacks(ip.parse().expect("an address")), None, "{ip}");
    }
}

#[test]
fn probes_are_answered_under_every_name() {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("evil.example"));
    headers.insert(ORIGIN, HeaderValue::from_static("null"));
    for (path, expected) in [
        ("/healthz", Ok(())),
        ("/readyz", Ok(())),
        ("/healthz/", Err(Refusal::Host)),
        ("/", Err(Refusal::Host)),
        ("/nowhere", Err(Refusal::Host)),
        ("/metrics", Err(Refusal::Host)),
        ("/history", Err(Refusal::Host)),
    ] {
        assert_eq!(
            Access::default().check(Secrecy::of(path), Some(BOUND), None, &headers),
            expected,
            "{path}"
        );
    }
}
