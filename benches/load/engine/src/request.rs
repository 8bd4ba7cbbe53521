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
        std::fs::read_to_string(file)
            .map_err(|error| format!("the bearer token in {file} cannot be read: {error}"))
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
