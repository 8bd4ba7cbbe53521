//! The address of a WebSocket endpoint.

use std::str::FromStr;

use anyhow::{Context as _, Error, Result, anyhow, bail, ensure};
use http::Uri;

/// `ws://host:port/path?query` or `wss://…`, in the parts that a connection needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The whole address.
    pub uri: Uri,
    /// Whether the scheme is `wss`.
    pub is_tls: bool,
    /// A host name, or an IP address without brackets.
    pub host: String,
    /// The port in the address; by default 443 with TLS and 80 without.
    pub port: u16,
}

impl FromStr for Url {
    type Err = Error;

    /// # Errors
    ///
    /// If the text is not such an address, in words that end with what to write. They never contain a password.
    fn from_str(text: &str) -> Result<Self> {
        let authority = text.split(['/', '?', '#']).nth(2).unwrap_or(text);
        ensure!(
            !authority.contains('@'),
            "a user name in a URL would appear in every report; use --bearer-env NAME or \
             --header 'Authorization: …'"
        );
        read(text)
            .map_err(|error| meant(text).map_or(error, |meant| anyhow!("write {meant}")))
            .with_context(|| format!("{text:?} is not the URL of a WebSocket"))
    }
}

/// The address of a WebSocket that `text` is but for its scheme.
fn meant(text: &str) -> Option<String> {
    let meant = match text.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        Some(_) => return None,
        None => format!("ws://{text}"),
    };
    read(&meant).is_ok().then_some(meant)
}

fn read(text: &str) -> Result<Url> {
    let uri: Uri = text.parse().context("write ws://host:port/path")?;
    let is_tls = match uri.scheme_str() {
        Some(scheme) if scheme.eq_ignore_ascii_case("ws") => false,
        Some(scheme) if scheme.eq_ignore_ascii_case("wss") => true,
        _ => bail!("write ws://host:port/path"),
    };
    let authority = uri.authority().context("it has no host; write ws://host:port/path")?;
    let host = authority.host();
    // `Authority::port` is `None` for a port that is out of range.
    let port = authority.as_str()[host.len()..].trim_start_matches(':');
    let port = match port.parse() {
        Ok(port @ 1..) => port,
        _ if port.is_empty() && is_tls => 443,
        _ if port.is_empty() => 80,
        _ => bail!("its port is {port}; write 1 to 65535"),
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    Ok(Url { uri, is_tls, host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, is_tls: bool, host: &str, port: u16) {
        let url: Url = text.parse().expect(text);
        assert_eq!((url.is_tls, url.host.as_str(), url.port), (is_tls, host, port), "{text}");
    }

    #[track_caller]
    fn refuses(text: &str, words: &str) {
        let error = format!("{:#}", text.parse::<Url>().expect_err(text));
        assert!(error.contains(words), "{error:?} does not say {words:?}");
    }

    #[test]
    fn host_port_and_scheme_are_read() {
        check("ws://127.0.0.1:9001/ws/echo", false, "127.0.0.1", 9001);
        check("wss://example.org", true, "example.org", 443);
        check("ws://example.org:/a?b=c:1", false, "example.org", 80);
        check("WS://[::1]:9/", false, "::1", 9);
        check("ws://[::1]", false, "::1", 80);
    }

    #[test]
    fn an_invalid_url_is_refused_with_what_to_write() {
        for text in ["", "ftp://localhost/", "ws://", "ws:///x", "ws://a b/", "http://"] {
            refuses(text, "write ws://host:port/path");
        }
        for (text, meant) in [
            ("http://localhost:1/a?b", "ws://localhost:1/a?b"),
            ("https://localhost", "wss://localhost"),
            ("localhost:9/ws", "ws://localhost:9/ws"),
        ] {
            refuses(text, &format!("{text:?} is not the URL of a WebSocket: write {meant}"));
        }
    }

    #[test]
    fn a_port_out_of_range_is_refused() {
        for port in ["0", "65536", "99999", "-1", "x"] {
            refuses(&format!("ws://localhost:{port}/"), "");
        }
        refuses("ws://localhost:99999/", "its port is 99999; write 1 to 65535");
    }

    #[test]
    fn a_url_with_a_password_is_refused_without_repeating_it() {
        let error = format!("{:#}", "ws://me:hunter2@host/".parse::<Url>().expect_err("refused"));
        assert!(error.contains("--bearer-env") && !error.contains("hunter2"), "{error}");
    }
}
