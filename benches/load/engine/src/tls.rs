//! TLS to the target, with the system's root certificates and those of a file.

mod trust;

use std::io::{self, ErrorKind};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::problem::Problem;
use super::transport::Plain;
use load_plan::outcome::Ending;
use trust::{Any, Named, is_of_ca, names_no_host};

/// Opens TLS connections to one host.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The certificates that a run trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// PEM file with certificates to trust beside the system's.
    pub ca_file: Option<String>,
    /// Trusts every certificate.
    pub insecure: bool,
}

impl Tls {
    pub(super) fn new(host: &str, trust: &Trust) -> Result<Self, Problem> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Problem::usage(format!("{host:?} cannot be the name in a certificate")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let no_tls = |error: &dyn std::fmt::Display| Problem::usage(format!("no TLS: {error}"));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| no_tls(&error))?;
        let named = trust.ca_file.as_deref().map(read).transpose()?;
        let builder = match named {
            _ if trust.insecure => {
                let schemes = provider.signature_verification_algorithms.supported_schemes();
                builder.dangerous().with_custom_certificate_verifier(Arc::new(Any(schemes)))
            }
            None => builder.with_root_certificates(system()),
            Some((file, certificates)) => {
                let mut roots = system();
                for certificate in &certificates {
                    roots.add(certificate.clone()).map_err(|error| unfit(file, &error))?;
                }
                let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .map_err(|error| no_tls(&error))?;
                let named = Named { webpki, certificates };
                builder.dangerous().with_custom_certificate_verifier(Arc::new(named))
            }
        };
        let config = builder.with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    pub(super) async fn connect(&self, plain: Plain) -> Result<TlsStream<Plain>, Problem> {
        self.connector.connect(self.name.clone(), plain).await.map_err(|error| {
            let name = self.name.to_str();
            let (why, cure) = explained(&error);
            let why = why.map_or_else(|| error.to_string(), str::to_owned);
            Problem::of(Ending::Tls, format!("no TLS with {name}: {why}{cure}"))
        })
    }
}

/// The system's root certificates.
fn system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // A certificate of the system that cannot be parsed is skipped: it signs nothing.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The certificates in a PEM file; at least one.
fn read(file: &str) -> Result<(&str, Vec<CertificateDer<'static>>), Problem> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let certificates: Vec<_> = certificates.map_err(|error| unfit(file, &error))?;
    if certificates.is_empty() {
        return Err(unfit(file, &"it begins with no -----BEGIN CERTIFICATE-----"));
    }
    Ok((file, certificates))
}

fn unfit(file: &str, error: &dyn std::fmt::Display) -> Problem {
    Problem::usage(format!(
        "--ca-file {file} has no certificate to trust: {error}; name a PEM file"
    ))
}

/// For a peer that answers without TLS, or ends the connection.
const NO_TLS: &str = "; if it does not speak TLS, write ws://";

/// An error in plainer words, where there are some, and its cure.
fn explained(error: &io::Error) -> (Option<&'static str>, &'static str) {
    use CertificateError as Bad;
    let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match reason {
        Some(error) if is_of_ca(error) => (
            Some("its certificate is one of a CA that is not trusted"),
            "; if you made it, name its file with --ca-file, or accept any with --insecure",
        ),
        Some(error) if names_no_host(error) => (
            Some("its certificate names no host"),
            "; make one with -addext subjectAltName=DNS:host, name this very one with --ca-file, or accept any with --insecure",
        ),
        Some(rustls::Error::InvalidCertificate(bad)) => match bad {
            Bad::UnknownIssuer => (
                Some("the issuer of its certificate is not trusted"),
                "; a certificate or CA of your own is named with --ca-file, or accept any with --insecure",
            ),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                (None, "; write that name in the URL, or accept any with --insecure")
            }
            Bad::Expired | Bad::ExpiredContext { .. } => {
                (None, "; renew it, or accept any with --insecure")
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                (None, "; look at the clocks of both machines, or accept any with --insecure")
            }
            _ => (None, "; accept any certificate with --insecure"),
        },
        Some(rustls::Error::InvalidMessage(_)) => (None, NO_TLS),
        None if error.kind() == ErrorKind::UnexpectedEof => (None, NO_TLS),
        _ => (None, ""),
    }
}
