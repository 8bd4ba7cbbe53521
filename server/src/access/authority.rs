//! Hosts, authorities and origins, compared as browsers write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A host of `--allow-host`: a name or an address, without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(Box<str>);

/// An origin of `--allow-origin`: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Box<str>);

/// A mistake in a [`HostName`] or an [`Origin`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(&'static str);

impl FromStr for HostName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match Authority::parse(text) {
            Some(Authority { port: None, .. }) => Ok(Self(text.into())),
            _ => Err(Malformed(
                "write a host without a port, such as plimsoll.example.org or [fd00::7]; \
                 a name with other letters than a to z begins with xn--",
            )),
        }
    }
}

impl FromStr for Origin {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match Parts::parse(text) {
            Some(_) => Ok(Self(text.into())),
            None => Err(Malformed(
                "write scheme://host or scheme://host:port without a path, such as https://plimsoll.example.org",
            )),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HostName {
    pub(super) fn is(&self, host: Host<'_>) -> bool {
        Authority::parse(&self.0).is_some_and(|allowed| allowed.host == host)
    }
}

impl Origin {
    /// Its parts. Parsed at each use: a browser's request has one origin to compare, and the list is short.
    pub(super) fn parts(&self) -> Option<Parts<'_>> {
        Parts::parse(&self.0)
    }
}

/// A host. Names are equal in any case, addresses in any spelling.
#[derive(Clone, Copy, Debug)]
pub(super) enum Host<'a> {
    Name(&'a str),
    Ip(IpAddr),
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(other)) => one.eq_ignore_ascii_case(other),
            (Self::Ip(one), Self::Ip(other)) => one == other,
            _ => false,
        }
    }
}

impl<'a> Host<'a> {
    pub(super) fn is_loopback(self) -> bool {
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case("localhost"),
            Self::Ip(ip) => ip.is_loopback(),
        }
    }

    /// Whether it is the address that the server listens on.
    pub(super) fn is_bound(self, bound: Option<IpAddr>) -> bool {
        match bound.map(|bound| bound.to_canonical()) {
            // All addresses of the machine, which change while it runs. A page cannot rebind an address.
            Some(bound) if bound.is_unspecified() => matches!(self, Self::Ip(_)),
            bound => matches!(self, Self::Ip(ip) if bound == Some(ip)),
        }
    }

    fn parse(text: &'a str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let ip: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Ip(IpAddr::V6(ip).to_canonical()));
        }
        if let Ok(ip) = text.parse::<Ipv4Addr>() {
            return Some(Self::Ip(ip.into()));
        }
        let is_label = |label: &str| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !label.is_empty() && label.bytes().all(is_part)
        };
        // 127.1 and 0x7f.1 are other spellings of an address; a browser sends the address.
        let is_number = |label: &str| label.starts_with(|first: char| first.is_ascii_digit());
        let is_name =
            text.split('.').all(is_label) && !text.rsplit('.').next().is_some_and(is_number);
        is_name.then_some(Self::Name(text))
    }
}

/// A host with the port that was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Authority<'a> {
    pub(super) host: Host<'a>,
    pub(super) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// `None` for a user name, a trailing dot, an empty port, and all else that no browser sends.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        // The colons of an address of version 6 stand in brackets.
        let colon =
            text.rfind(':').filter(|at| text.rfind(']').is_none_or(|bracket| bracket < *at));
        let Some(colon) = colon else { return Some(Self { host: Host::parse(text)?, port: None }) };
        let digits = &text[colon + 1..];
        let is_port = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        let port = is_port.then(|| digits.parse().ok()).flatten()?;
        Some(Self { host: Host::parse(&text[..colon])?, port: Some(port) })
    }
}

/// The parts of an origin; two are equal if their schemes, hosts and ports are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    pub(super) authority: Authority<'a>,
}

impl PartialEq for Parts<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.authority.host == other.authority.host
            && self.port() == other.port()
    }
}

impl<'a> Parts<'a> {
    /// `None` for `null`, for a path, and for all else that is no origin.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(is_part);
        is_scheme.then_some(Self { scheme, authority: Authority::parse(rest)? })
    }

    /// Its port, or the one that its scheme implies.
    pub(super) fn port(&self) -> Option<u16> {
        self.authority.port.or_else(|| self.default_port())
    }

    /// Whether it is the origin of a page at `authority`. A proxy may have taken TLS off: http and https are the same.
    pub(super) fn is_at(&self, authority: Authority<'_>) -> bool {
        self.default_port().is_some()
            && self.authority.host == authority.host
            && self.port() == authority.port.or_else(|| self.default_port())
    }

    fn default_port(&self) -> Option<u16> {
        match self.scheme {
            scheme if scheme.eq_ignore_ascii_case("http") => Some(80),
            scheme if scheme.eq_ignore_ascii_case("https") => Some(443),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_equal_by_scheme_host_and_port_and_nothing_less() {
        let equal = [
            ("https://plimsoll.example", "https://plimsoll.example"),
            ("https://plimsoll.example", "HTTPS://Plimsoll.EXAMPLE"),
            ("https://plimsoll.example", "https://plimsoll.example:443"),
            ("http://plimsoll.example:80", "http://plimsoll.example"),
            ("http://[::1]:9001", "http://[0:0:0:0:0:0:0:1]:9001"),
            ("http://127.0.0.1", "http://[::ffff:127.0.0.1]"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ];
        for (one, other) in equal {
            assert_eq!(Parts::parse(one).expect(one), Parts::parse(other).expect(other), "{other}");
        }
        let different = [
            "http://plimsoll.example",
            "https://plimsoll.example:444",
            "https://plimsoll.example:80",
            "https://plimsoll.example.evil.example",
            "https://evil-plimsoll.example",
            "https://evilplimsoll.example",
            "https://www.plimsoll.example",
            "https://example",
            "https://plimsoll-example",
            "wss://plimsoll.example",
        ];
        let allowed = Parts::parse("https://plimsoll.example").expect("an origin");
        for other in different {
            assert_ne!(allowed, Parts::parse(other).expect(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        let wrong = [
            "",
            "null",
            "*",
            "https://",
            "://plimsoll.example",
            "plimsoll.example",
            "https:plimsoll.example",
            "https:/plimsoll.example",
            "https://plimsoll.example/",
            "https://plimsoll.example?x",
            "https://plimsoll.example#x",
            "https://plimsoll.example.",
            "https://.plimsoll.example",
            "https://plimsoll..example",
            "https://user@plimsoll.example",
            "https://plimsoll.example@evil.example",
            "https://plimsoll.example:",
            "https://plimsoll.example:0443",
            "https://plimsoll.example:+443",
            "https://plimsoll.example:65536",
            "https://plimsoll.example:443:443",
            "https://plimsoll.example https://evil.example",
            "https://plimsoll.example, https://evil.example",
            "https://*.example",
            "https://pl\u{131}msoll.example",
            "1https://plimsoll.example",
            "http://[::1",
            "http://::1",
            "http://[::1]x",
            "http://[fe80::1%25eth0]",
            "http://127.1",
            "http://0x7f.0.0.1",
            "http://2130706433",
            "http://127.0.0.01",
            "http://%6cocalhost",
        ];
        for text in wrong {
            assert!(Parts::parse(text).is_none(), "{text}");
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_names_and_addresses_of_this_machine_are_loopback() {
        for text in
            ["localhost", "LocalHost", "127.0.0.1", "127.3.2.1", "[::1]", "[::ffff:127.0.0.1]"]
        {
            assert!(Host::parse(text).expect(text).is_loopback(), "{text}");
        }
        for text in [
            "localhost.evil.example",
            "evil-localhost",
            "a.localhost",
            "0.0.0.0",
            "[::]",
            "128.0.0.1",
            "localhost4",
        ] {
            assert!(!Host::parse(text).expect(text).is_loopback(), "{text}");
        }
        assert!(Host::parse("localhost.").is_none());
    }

    #[test]
    fn an_allowed_host_has_no_port() {
        for text in ["plimsoll.example:9001", "https://plimsoll.example", "", "*", "[::1]:80"] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
        let host: HostName = "Plimsoll.example".parse().expect("a host");
        assert!(host.is(Host::Name("plimsoll.EXAMPLE")) && !host.is(Host::Name("example")));
    }
}
