//! The bearer token.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use subtle::ConstantTimeEq;

/// Most bytes that are read from a file with a token.
const LONGEST: usize = 1024;

/// Fewest different characters of a token: of 28 million random tokens of 32 hexadecimal digits, one has fewer.
const VARIETY: usize = 8;

/// A secret of at least 128 bits that clients present. It is never shown: its `Debug` prints `…`.
#[derive(Clone)]
pub struct Token(Box<str>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The reason for which a text or a file is no usable token. Never contains the token.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadToken(String);

impl Token {
    /// The token in `file`, without the end of its line.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, if other users can read it, or if the token could be guessed.
    pub fn read(file: &Path) -> Result<Self, BadToken> {
        let bad = |why: String| BadToken(format!("the token file {} {why}", file.display()));
        let failed = |error| bad(format!("cannot be read: {error}; check the path"));
        let opened = File::open(file).map_err(failed)?;
        let mode = opened.metadata().map_err(failed)?.permissions().mode();
        // The group of a service may read its secret, all users of the machine may not.
        if mode & 0o007 != 0 {
            let mode = mode & 0o777;
            return Err(bad(format!(
                "is open to all users of this machine (mode {mode:03o}); chmod 600 {}",
                file.display()
            )));
        }
        let mut text = String::new();
        opened.take(LONGEST as u64 + 1).read_to_string(&mut text).map_err(failed)?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let make = format!("make a token: umask 077; openssl rand -hex 16 > {}", file.display());
        Self::new(line).map_err(|BadToken(why)| bad(format!("{why}; {make}")))
    }

    /// `text` as a token.
    ///
    /// # Errors
    ///
    /// If the token could be guessed, or does not fit into a header.
    pub fn new(text: &str) -> Result<Self, BadToken> {
        let bad = |why: &str| Err(BadToken(why.to_owned()));
        // What a header and a subprotocol can carry.
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte);
        if text.is_empty() {
            return bad("is empty");
        }
        if text.len() > LONGEST {
            return bad("is longer than 1024 bytes");
        }
        if !text.bytes().all(fits) {
            return bad("has a character that is no letter, no digit and none of - . _ ~ +");
        }
        let mut seen = [false; 128];
        text.bytes().for_each(|byte| seen[usize::from(byte)] = true);
        if text.len() < characters_of_128_bits(text) {
            return bad("has less than 128 bits");
        }
        if seen.iter().filter(|seen| **seen).count() < VARIETY {
            return bad("is not random: it has less than 8 different characters");
        }
        Ok(Self(text.into()))
    }

    /// Whether a request presents it, by `Authorization: Bearer TOKEN` or by the subprotocol `bearer.TOKEN`.
    ///
    /// The time of the comparison tells an attacker nothing but the length. `subtle` is written against the optimiser,
    /// which is free to end a loop of ours early.
    pub(super) fn is_presented(&self, headers: &HeaderMap) -> bool {
        presented(headers).is_some_and(|text| text.ct_eq(self.0.as_bytes()).into())
    }
}

/// Random characters that carry 128 bits, if they are drawn from the kinds that `text` has.
fn characters_of_128_bits(text: &str) -> usize {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        39
    } else if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        32
    } else if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        25
    } else {
        22
    }
}

fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let (line, None) = (lines.next(), lines.next()) else { return None };
    let bearer = line.and_then(|line| {
        let (scheme, token) = line.as_bytes().split_at_checked(b"Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
    });
    // Another scheme is for a proxy in front of the server.
    bearer.or_else(|| protocols(headers).find_map(|protocol| protocol.strip_prefix(b"bearer.")))
}

/// The subprotocols that a client offers.
pub(super) fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn presents(lines: &[(HeaderName, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        Token::new(TOKEN).expect("a token").is_presented(&headers)
    }

    #[test]
    fn a_token_is_presented_by_one_header_or_by_a_subprotocol() {
        for value in
            ["Bearer 0123456789abcdef0123456789abcdef", "bearer  0123456789abcdef0123456789abcdef"]
        {
            assert!(presents(&[(AUTHORIZATION, value)]), "{value}");
        }
        for value in [
            "plimsoll, bearer.0123456789abcdef0123456789abcdef",
            "bearer.0123456789abcdef0123456789abcdef,plimsoll",
        ] {
            assert!(presents(&[(SEC_WEBSOCKET_PROTOCOL, value)]), "{value}");
        }
        let lines = ["plimsoll", "bearer.0123456789abcdef0123456789abcdef"];
        assert!(presents(&lines.map(|line| (SEC_WEBSOCKET_PROTOCOL, line))));
    }

    #[test]
    fn a_subprotocol_presents_the_token_behind_a_proxy_that_asks_for_a_password() {
        let offered = (SEC_WEBSOCKET_PROTOCOL, "plimsoll, bearer.0123456789abcdef0123456789abcdef");
        assert!(presents(&[(AUTHORIZATION, "Basic dXNlcjpwYXNz"), offered.clone()]));
        assert!(!presents(&[(AUTHORIZATION, "Bearer x"), offered.clone()]));
        assert!(!presents(&[(AUTHORIZATION, "Basic x"), (AUTHORIZATION, "Basic y"), offered]));
    }

    #[test]
    fn all_else_is_no_token() {
        assert!(!presents(&[]));
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer 0123456789abcdef0123456789abcdee",
            "Bearer 0123456789abcdef0123456789abcde",
            "Bearer 0123456789abcdef0123456789abcdef0",
            "Bearer 0123456789ABCDEF0123456789abcdef",
            "Bearer0123456789abcdef0123456789abcdef",
            "Basic 0123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcdef",
        ] {
            assert!(!presents(&[(AUTHORIZATION, value)]), "{value}");
        }
        for value in ["plimsoll", "0123456789abcdef0123456789abcdef", "bearer."] {
            assert!(!presents(&[(SEC_WEBSOCKET_PROTOCOL, value)]), "{value}");
        }
        let right = "Bearer 0123456789abcdef0123456789abcdef";
        assert!(!presents(&[(AUTHORIZATION, right), (AUTHORIZATION, "Bearer x")]));
    }

    #[test]
    fn a_token_that_could_be_guessed_is_refused() {
        let digits = "0123456789".repeat(4);
        let weak = [
            "",
            "hunter2",
            &TOKEN[1..],
            &digits[..38],
            "abcdefghijklmnopqrstuvwx",
            "Zm9vYmFyYmF6cXV4cXV1e",
            "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
            "with a space 0123456789abcdef",
            "Zm9vYmFyYmF6cXV4cXV1eA==",
            "schl\u{fc}ssel-0123456789abcdef0123",
        ];
        for text in weak {
            assert!(Token::new(text).is_err(), "{text}");
        }
        for text in [TOKEN, &digits, "Zm9vYmFyYmF6cXV4cXV1eA", "abcdefghijklmnopqrstuvwxy"] {
            assert!(Token::new(text).is_ok(), "{text}");
        }
        assert!(Token::new(&"0123456789abcdef".repeat(65)).is_err());
    }

    #[test]
    fn a_token_is_never_shown() {
        assert_eq!(format!("{:?}", Token::new(TOKEN).expect("a token")), "…");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_and_its_content_is_not_repeated() {
        for (mode, text, expected) in [
            (0o600, "0123456789abcdef0123456789abcdef\n", None),
            (0o640, "0123456789abcdef0123456789abcdef\r\n", None),
            (0o644, "0123456789abcdef0123456789abcdef\n", Some("chmod 600")),
            (0o602, "0123456789abcdef0123456789abcdef\n", Some("chmod 600")),
            (0o600, "sesame\n", Some("openssl rand -hex 16")),
            (0o600, "0123456789abcdef\n0123456789abcdef\n", Some("openssl rand -hex 16")),
        ] {
            let name = format!("plimsoll-token-{}-{mode}-{}", std::process::id(), text.len());
            let file = std::env::temp_dir().join(name);
            let mut options = File::options();
            let mut opened =
                options.write(true).create_new(true).mode(mode).open(&file).expect("a new file");
            opened.write_all(text.as_bytes()).expect("the disk has room");
            opened.set_permissions(PermissionsExt::from_mode(mode)).expect("the file is ours");
            let read = Token::read(&file);
            std::fs::remove_file(&file).expect("the file is ours");
            let error = read.err().map(|error| error.to_string());
            match (&error, expected) {
                (None, None) => {}
                (Some(error), Some(expected)) => {
                    assert!(error.contains(expected) && !error.contains(text.trim()), "{error}");
                }
                _ => panic!("{mode:o} {text:?}: {error:?}"),
            }
        }
        let missing = Token::read(Path::new("/nowhere/token")).expect_err("there is no file");
        assert!(missing.to_string().contains("/nowhere/token"), "{missing}");
    }
}
