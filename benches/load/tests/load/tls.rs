//! `wss://`: trusted certificates, and errors for all others.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_tungstenite::accept_async;

use crate::profile::Profile;
use crate::run::{Load, Outcome, not_run, ws_load};
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
    let server = serving(certificate.der(), PrivatePkcs8KeyDer::from(key.serialize_der()).into());
    (server, authority)
}

/// An echo behind TLS with a certificate that signs itself and others, for `names`; and its PEM.
fn self_signed(names: &[&str], until: i32) -> (Server, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("the names are valid");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().expect("a key is generated");
    let certificate = params.self_signed(&key).expect("it signs itself");
    let server = serving(certificate.der(), PrivatePkcs8KeyDer::from(key.serialize_der()).into());
    (server, certificate.pem())
}

fn serving(certificate: &CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Server {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("the key is that of the certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::start(move |stream, tally| {
        let acceptor = acceptor.clone();
        async move {
            let socket = accept_async(acceptor.accept(stream).await?).await?;
            serve(socket, tally, |_, message| Answer::Right(message)).await
        }
    })
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
fn a_certificate_that_signs_itself_is_trusted_where_its_file_is_named() {
    for names in [&["localhost"][..], &[]] {
        let (server, pem) = self_signed(names, 4000);
        let outcome = run(&server, Some(&pem));
        outcome.check(0, &[]);
        assert!(!outcome.says("--insecure"), "{}", outcome.text);
        assert_eq!(outcome.count("sent"), server.tally().received.get());
        check_tls_error(&run(&server, None), &["of a CA that is not trusted", "--ca-file"]);
        let (_, another) = self_signed(names, 4000);
        check_tls_error(&run(&server, Some(&another)), &["--ca-file", "--insecure"]);
    }
}

#[test]
fn a_certificate_that_signs_itself_is_refused_for_another_name_and_after_its_time() {
    let (server, pem) = self_signed(&["harbour.example"], 4000);
    let words = ["localhost", "harbour.example", "write that name in the URL", "--insecure"];
    check_tls_error(&run(&server, Some(&pem)), &words);
    let (server, pem) = self_signed(&["localhost"], 2001);
    check_tls_error(&run(&server, Some(&pem)), &["expired", "--insecure"]);
}

#[test]
fn a_certificate_as_openssl_makes_it_is_trusted_where_its_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let [key, pem] = ["key.pem", "cert.pem"].map(|name| folder.path().join(name));
    for names in ["subjectAltName=DNS:localhost", "keyUsage=digitalSignature"] {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", names, "-keyout"])
            .args([key.as_os_str(), "-out".as_ref(), pem.as_os_str()])
            .output();
        if !made.is_ok_and(|output| output.status.success()) {
            not_run("there is no openssl that makes certificates");
            return;
        }
        let certificate = CertificateDer::from_pem_file(&pem).expect("openssl wrote it");
        let server =
            serving(&certificate, PrivateKeyDer::from_pem_file(&key).expect("openssl wrote it"));
        let text = fs::read_to_string(&pem).expect("openssl wrote it");
        run(&server, Some(&text)).check(0, &[]);
    }
}

#[test]
fn any_certificate_is_accepted_on_demand_and_every_report_says_so() {
    let (server, _) = self_signed(&["harbour.example"], 2001);
    let url = format!("wss://localhost:{}/", server.port());
    let outcome = Load::new(Profile::default(), &url).args(["--insecure"]).run();
    outcome.check(0, &["--insecure: the target's certificate was not checked"]);
    assert_eq!(outcome.count("sent"), server.tally().received.get());
    for file in ["report.html", "report.json"] {
        let report = fs::read_to_string(outcome.out().join(file)).expect("it was written");
        assert!(report.contains("certificate was not checked"), "{file}");
    }
    let words = ["search", "smoke", &url, "--insecure", "--from", "10"];
    let (_, said) = ws_load(&[&words[..], &["--trial", "0.2"]].concat());
    assert!(
        said.contains("notice: --insecure: the target's certificate was not checked"),
        "{said}"
    );
    let plain = Load::new(Profile::default(), &Server::echo().url()).args(["--insecure"]).run();
    assert!(!plain.says("not checked"), "{}", plain.text);
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
