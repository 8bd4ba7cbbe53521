//! `wss://`: trusted certificates, and errors for all others.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_tungstenite::accept_async;

use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{Answer, Server, serve};

/// An echo behind TLS with a certificate for `name`, and the PEM of the authority that signed it.
fn secured(name: &str) -> (Server, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key is generated");
    let authority = params.self_signed(&key).expect("the authority signs itself").pem();
    let issuer = Issuer::new(params, key);

    let key = KeyPair::generate().expect("a key is generated");
    let params = CertificateParams::new([name.to_owned()]).expect("the name is valid");
    let certificate = params.signed_by(&key, &issuer).expect("the authority signs");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("the key is that of the certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::start(move |stream, tally| {
        let acceptor = acceptor.clone();
        async move {
            let socket = accept_async(acceptor.accept(stream).await?).await?;
            serve(socket, tally, |_, message| Answer::Right(message)).await
        }
    });
    (server, authority)
}

/// Runs against `localhost`, where the server listens, and trusts `authority` if there is one.
fn run(server: &Server, authority: Option<&str>) -> Outcome {
    let url = format!("wss://localhost:{}/", server.port());
    let mut load = Load::new(Profile::default(), &url);
    if let Some(authority) = authority {
        let file = load.file("authority.pem", authority);
        load = load.args(["--ca-file".as_ref(), file.as_os_str()]);
    }
    load.run()
}

#[track_caller]
fn check_tls_error(outcome: &Outcome, words: &[&str]) {
    outcome.check(1, words);
    if outcome.has_report() {
        outcome.adds_up();
        assert!(outcome.endings().keys().all(|met| *met == "tls"), "{}", outcome.text);
    }
}

#[test]
fn a_certificate_from_a_given_authority_is_trusted() {
    let (server, authority) = secured("localhost");
    let outcome = run(&server, Some(&authority));
    outcome.check(0, &[]);
    outcome.adds_up();
    assert_eq!(outcome.count("sent"), server.tally().received.get());
    assert_eq!(outcome.count("received"), server.tally().sent.get());
}

#[test]
fn a_certificate_for_another_name_is_refused_with_both_names() {
    let (server, authority) = secured("harbour.example");
    let outcome = run(&server, Some(&authority));
    check_tls_error(&outcome, &["localhost", "harbour.example", "write that name in the URL"]);
    assert_eq!(server.tally().received.get(), 0);
}

#[test]
fn an_unknown_authority_is_refused_with_the_flag_that_adds_it() {
    let (server, _) = secured("localhost");
    check_tls_error(&run(&server, None), &["--ca-file"]);
}

#[test]
fn a_server_without_tls_is_a_tls_error() {
    check_tls_error(&run(&Server::echo(), None), &["write ws://"]);
}

#[test]
fn an_invalid_certificate_file_is_reported_before_anything_is_sent() {
    let server = Server::echo();
    let outcome = run(&server, Some("not PEM"));
    assert!(matches!(outcome.code, Some(1 | 2)), "{}", outcome.text);
    assert!(outcome.says("authority.pem"), "{}", outcome.text);
    assert_eq!(server.tally().accepted.get(), 0);
}
