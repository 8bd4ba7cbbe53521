//! The request of an upgrade.

use load_plan::profile::Target;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};

use super::problem::Problem;

/// The request that `target` asks for.
///
/// # Errors
///
/// A mistake of the user: a value that does not fit into a header, a token that cannot be read.
pub(super) fn request(uri: Uri, target: &Target) -> Result<Request, Problem> {
    let unfit = |what: &str, value: &str| {
        Problem::usage(format!("{what} {value:?} does not fit into a header"))
    };
    let mut request = uri
        .into_client_request()
        .map_err(|error| Problem::usage(format!("no request can be made: {error}")))?;
    let headers = request.headers_mut();
    for (name, value) in &target.headers {
        let key: HeaderName = name.parse().map_err(|_| unfit("the name", name))?;
        headers.insert(key, value.parse().map_err(|_| unfit("the value", value))?);
    }
    if let Some(origin) = &target.origin {
        headers.insert(ORIGIN, origin.parse().map_err(|_| unfit("the origin", origin))?);
    }
    if let Some(protocol) = &target.subprotocol {
        let value = protocol.parse().map_err(|_| unfit("the subprotocol", protocol))?;
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    if let Some(token) = token(target)? {
        let mut value: HeaderValue = format!("Bearer {token}").parse().map_err(|_| {
            Problem::usage("the bearer token does not fit into a header".to_owned())
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(request)
}

fn token(target: &Target) -> Result<Option<String>, Problem> {
    let read = if let Some(file) = &target.bearer_file {
        std::fs::read_to_string(file).map_err(|error| {
            format!("the bearer token in {file} cannot be read: {error}; check the path")
        })
    } else if let Some(name) = &target.bearer_env {
        std::env::var(name).map_err(|_| format!("the environment has no {name}; export it"))
    } else {
        return Ok(None);
    };
    match read.map(|token| token.trim().to_owned()) {
        Ok(token) if token.is_empty() => {
            Err(Problem::usage("the bearer token is empty".to_owned()))
        }
        Ok(token) => Ok(Some(token)),
        Err(words) => Err(Problem::usage(words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(target: &Target) -> Result<Request, Problem> {
        request(Uri::from_static("ws://example.org:9001/chat?room=1"), target)
    }

    /// The words of the mistake in `target`.
    fn mistake(target: &Target) -> String {
        let problem = requested(target).expect_err("the target is wrong");
        assert_eq!(problem.ending, None, "{problem}");
        problem.words
    }

    #[test]
    fn a_request_has_headers_origin_subprotocol_and_token_of_its_target() {
        let target = Target {
            headers: [("X-Room".to_owned(), "blue".to_owned())].into(),
            origin: Some("https://example.org".to_owned()),
            subprotocol: Some("chat".to_owned()),
            // cargo sets it for every test.
            bearer_env: Some("CARGO_PKG_NAME".to_owned()),
            ..Target::default()
        };
        let request = requested(&target).expect("the target is right");
        let header = |name: &str| request.headers()[name].to_str().expect("it is text").to_owned();
        assert_eq!(header("Host"), "example.org:9001");
        assert_eq!(header("X-Room"), "blue");
        assert_eq!(header("Origin"), "https://example.org");
        assert_eq!(header("Sec-WebSocket-Protocol"), "chat");
        assert_eq!(header("Authorization"), "Bearer load-engine");
        assert!(request.headers()["Authorization"].is_sensitive());
    }

    #[test]
    fn a_header_that_does_not_fit_is_named_with_its_value() {
        let target = Target { origin: Some("a\nb".to_owned()), ..Target::default() };
        assert_eq!(mistake(&target), "the origin \"a\\nb\" does not fit into a header");
        let headers = [("bad name".to_owned(), "x".to_owned())].into();
        let target = Target { headers, ..Target::default() };
        assert_eq!(mistake(&target), "the name \"bad name\" does not fit into a header");
    }

    #[test]
    fn a_token_that_cannot_be_read_is_named_with_its_source() {
        let target = Target { bearer_env: Some("NO_SUCH_TOKEN".to_owned()), ..Target::default() };
        assert_eq!(mistake(&target), "the environment has no NO_SUCH_TOKEN; export it");
        let target = Target { bearer_file: Some("/no/token".to_owned()), ..Target::default() };
        assert!(mistake(&target).starts_with("the bearer token in /no/token cannot be read: "));
        let target = Target { bearer_file: Some("/dev/null".to_owned()), ..Target::default() };
        assert_eq!(mistake(&target), "the bearer token is empty");
    }
}
