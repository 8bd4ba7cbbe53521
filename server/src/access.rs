//! Which requests are answered: by host, by origin, by token. Pure: it takes headers and answers allowed or refused.
//!
//! - *Host*: a page whose own name was pointed at this machine (DNS rebinding) sends that name. Only known hosts are
//!   answered.
//! - *Origin*: a browser names the page that opens a WebSocket. A request without one comes from no page.
//! - *Token*: a client that presents it may read. Nothing else proves who a client is.
//!
//! Not protected: the page's files, which hold nothing secret, and the probes; the traffic itself, which needs a proxy
//! with TLS; and, without a token, a server on loopback against other users of the machine.

mod authority;
mod token;

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderValue, ORIGIN};

pub use authority::{HostName, Malformed, Origin};
pub use token::{BadToken, Token};

use authority::{Authority, Host, Parts};

use crate::Error;

/// The subprotocol of a browser, which cannot send an `Authorization` header. It offers its token as another one.
pub(crate) const PROTOCOL: &str = "plimsoll";

/// Who may use a server. The default is for a server on loopback: pages of the server itself, and programs that are no
/// browser.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Other origins whose pages may connect. Their hosts are answered, too.
    pub origins: Vec<Origin>,
    /// Hosts that are answered beside loopback names, the bound address and the hosts of `origins`.
    pub hosts: Vec<HostName>,
    /// Demanded of every client that reads or sends data, if there is one.
    pub token: Option<Token>,
    /// Serves beyond loopback even without origins or a token: every machine that reaches the port may then use it.
    pub insecure: bool,
}

/// What a path gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// Whether the server lives: for probes, which know neither its name nor its token.
    Probe,
    /// Files that are the same for everybody.
    Page,
    /// Numbers and sessions.
    Data,
}

impl Secrecy {
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/healthz" | "/readyz" => Self::Probe,
            "/metrics" | "/history" => Self::Data,
            path if path.starts_with("/ws/") => Self::Data,
            _ => Self::Page,
        }
    }
}

/// The check that a request did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Host,
    Origin,
    Token,
}

impl Access {
    /// Refuses an address beyond loopback without origins and a token, unless `insecure`.
    ///
    /// # Errors
    ///
    /// [`Error::Exposed`].
    pub fn check_bind(&self, addr: SocketAddr) -> Result<(), Error> {
        match self.lacks(addr.ip()).filter(|_| !self.insecure) {
            Some(missing) => Err(Error::Exposed { addr, missing }),
            None => Ok(()),
        }
    }

    /// The flags without which every machine that reaches `ip` may use the server; `None` if nothing is missing.
    #[must_use]
    pub fn lacks(&self, ip: IpAddr) -> Option<&'static str> {
        if ip.to_canonical().is_loopback() {
            return None;
        }
        match (self.origins.is_empty(), self.token.is_none()) {
            (true, true) => Some("--allow-origin https://HOST and --token-file FILE"),
            (true, false) => Some("--allow-origin https://HOST"),
            (false, true) => Some("--token-file FILE"),
            (false, false) => None,
        }
    }

    /// Checks a request to a server that listens on `bound`. `authority` is that of an absolute request target, which
    /// stands above `Host`.
    pub(crate) fn check(
        &self,
        secrecy: Secrecy,
        bound: Option<IpAddr>,
        authority: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        if secrecy == Secrecy::Probe {
            return Ok(());
        }
        let hosts = headers.get_all(HOST).iter().map(text);
        let mut asked = None;
        for host in authority.map(Some).into_iter().chain(hosts) {
            let host = host.and_then(Authority::parse).ok_or(Refusal::Host)?;
            if !self.answers(host.host, bound) && !self.is_host_of_origin(host.host) {
                return Err(Refusal::Host);
            }
            asked.get_or_insert(host);
        }
        let mut origins = headers.get_all(ORIGIN).iter().map(text);
        if let Some(origin) = origins.next() {
            let origin = origin.and_then(Parts::parse).ok_or(Refusal::Origin)?;
            if origins.next().is_some() || !self.admits(origin, asked, bound) {
                return Err(Refusal::Origin);
            }
        }
        match &self.token {
            Some(token) if secrecy == Secrecy::Data && !token.is_presented(headers) => {
                Err(Refusal::Token)
            }
            _ => Ok(()),
        }
    }

    /// Whether `host` is this server, without a look at the origins.
    fn answers(&self, host: Host<'_>, bound: Option<IpAddr>) -> bool {
        host.is_loopback()
            || host.is_bound(bound)
            || self.hosts.iter().any(|allowed| allowed.is(host))
    }

    fn is_host_of_origin(&self, host: Host<'_>) -> bool {
        let mut origins = self.origins.iter().filter_map(Origin::parts);
        origins.any(|allowed| allowed.authority.host == host)
    }

    /// Whether pages of `origin` may ask `asked`: origins of the list, and the server's own page.
    fn admits(
        &self,
        origin: Parts<'_>,
        asked: Option<Authority<'_>>,
        bound: Option<IpAddr>,
    ) -> bool {
        if self.origins.iter().filter_map(Origin::parts).any(|allowed| allowed == origin) {
            return true;
        }
        let Some(asked) = asked else { return false };
        // A host that is known from an origin alone is served at that origin alone.
        let is_own = origin.is_at(asked) && self.answers(asked.host, bound);
        // localhost and the bound address are the same page. Another port, or another address of loopback, may be another
        // program, whose pages are not trusted.
        let is_loopback = |host: Host<'_>| {
            host.is_loopback() && (matches!(host, Host::Name(_)) || host.is_bound(bound))
        };
        is_own
            || is_loopback(origin.authority.host)
                && is_loopback(asked.host)
                && origin.scheme.eq_ignore_ascii_case("http")
                && origin.port() == asked.port.or(Some(80))
    }
}

/// Whether a client offers [`PROTOCOL`]. A browser drops a connection whose answer selects none of those it offers.
pub(crate) fn offers_protocol(headers: &HeaderMap) -> bool {
    token::protocols(headers).any(|protocol| protocol == PROTOCOL.as_bytes())
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

#[cfg(test)]
mod tests;
