//! TLS to the target, with the system's root certificates and those of a file.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::problem::Problem;
use super::transport::Plain;
use load_plan::outcome::Ending;

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

impl Tls {
    pub(super) fn new(host: &str, ca_file: Option<&str>) -> Result<Self, Problem> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Problem::usage(format!("{host:?} cannot be the name in a certificate")))?;
        let mut roots = RootCertStore::empty();
        // A certificate of the system that cannot be parsed is skipped: it signs nothing.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(file) = ca_file {
            let unfit = |error: &dyn std::fmt::Display| {
                Problem::usage(format!("{file} has no certificate to trust: {error}"))
            };
            let before = roots.len();
            for certificate in CertificateDer::pem_file_iter(file).map_err(|e| unfit(&e))? {
                let certificate = certificate.map_err(|error| unfit(&error))?;
                roots.add(certificate).map_err(|error| unfit(&error))?;
            }
            if roots.len() == before {
                return Err(unfit(&"it begins with no -----BEGIN CERTIFICATE-----"));
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Problem::usage(format!("no TLS: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    pub(super) async fn connect(&self, plain: Plain) -> Result<TlsStream<Plain>, Problem> {
        self.connector.connect(self.name.clone(), plain).await.map_err(|error| {
            let name = self.name.to_str();
            Problem::of(Ending::Tls, format!("no TLS with {name}: {error}{}", hint(&error)))
        })
    }
}

/// For a peer that answers without TLS, or ends the connection.
const NO_TLS: &str = "; if it does not speak TLS, write ws://";

/// The cure for an error.
fn hint(error: &io::Error) -> &'static str {
    let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match reason {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "; a CA of your own is named with --ca-file"
        }
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => "; write that name in the URL",
        Some(rustls::Error::InvalidMessage(_)) => NO_TLS,
        None if error.kind() == ErrorKind::UnexpectedEof => NO_TLS,
        _ => "",
    }
}
