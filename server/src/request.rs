//! The rules of a request that hyper leaves to the server.

use std::net::Ipv6Addr;

use hyper::body::Body;
use hyper::header::{HOST, HeaderName, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use hyper::{Request, Version};

/// Why a request is refused with 400.
pub(crate) type Broken = &'static str;

/// RFC 9112 §3.2: one valid Host in HTTP/1.1, at most one in HTTP/1.0.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), Broken> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version() < Version::HTTP_11 => Ok(()),
        (None, _) => Err("HTTP/1.1 needs a Host header\n"),
        (Some(_), Some(_)) => Err("more than one Host header\n"),
        (Some(host), None) if is_authority(host.as_bytes()) => Ok(()),
        (Some(_), None) => Err("the Host header is no host and port\n"),
    }
}

/// RFC 6455 §11.3.1 and §11.3.5: one key and one version. A body would be read as frames.
pub(crate) fn check_upgrade<B: Body>(request: &Request<B>) -> Result<(), Broken> {
    let doubled = |name: &HeaderName| request.headers().get_all(name).iter().nth(1).is_some();
    if doubled(&SEC_WEBSOCKET_KEY) {
        return Err("more than one Sec-WebSocket-Key\n");
    }
    if doubled(&SEC_WEBSOCKET_VERSION) {
        return Err("more than one Sec-WebSocket-Version\n");
    }
    if !request.body().is_end_stream() {
        return Err("a WebSocket upgrade has no body\n");
    }
    Ok(())
}

/// `host [":" port]` of RFC 3986 §3.2, with a host that is not empty.
fn is_authority(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (host_is_valid, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(None) => return false,
        Some(Some((address, rest))) => (address.parse::<Ipv6Addr>().is_ok(), rest),
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (is_name(host.as_bytes()), port)
        }
    };
    let port_is_valid = match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|digit| digit.is_ascii_digit())
                && (digits.is_empty() || digits.parse::<u16>().is_ok())
        }
        None => port.is_empty(),
    };
    host_is_valid && port_is_valid
}

/// A registered name or an IPv4 address: unreserved signs, delimiters of parts, and percent-encoded bytes.
fn is_name(name: &[u8]) -> bool {
    let mut rest = name;
    while let [first, behind @ ..] = rest {
        rest = match (first, behind) {
            (b'%', [high, low, behind @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                behind
            }
            (sign, behind) if sign.is_ascii_alphanumeric() => behind,
            (sign, behind) if b"-._~!$&'()*+,;=".contains(sign) => behind,
            _ => return false,
        };
    }
    !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_authority;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for host in [
            "localhost",
            "localhost:9001",
            "a.example:",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:9001",
            "xn--bcher-kva.example",
            "b%C3%BCcher.example",
            "under_score",
        ] {
            assert!(is_authority(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn anything_else_is_no_host() {
        for host in [
            "",
            ":80",
            "a b",
            "a b<>@/\\",
            "user@host",
            "host/path",
            "http://host",
            "host:80:80",
            "host:port",
            "host:65536",
            "host:-1",
            "host:+1",
            "::1",
            "[::1",
            "[::1]x",
            "[nothing]",
            "[::1]:x",
            "%",
            "%zz",
            "a,b?",
            "a#b",
            "\"a\"",
            "h\u{f6}st",
        ] {
            assert!(!is_authority(host.as_bytes()), "{host}");
        }
    }
}
