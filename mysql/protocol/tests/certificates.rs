//! Certificates and keys in files: what a server takes, and what a client
//! accepts from it.

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::ClientConfig;
use firn_mysql_protocol::server::ServerConfig;
use firn_mysql_protocol::tls::{ClientIdentity, ClientTls, ServerTls};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use support::client::{as_user, connect};
use support::start;
use tempfile::TempDir;

/// A folder with `ca.pem`, another authority in `other-ca.pem`, and the
/// certificate and key of `db.example` in `server.pem` and `server.key`.
struct Files {
    folder: TempDir,
}

/// Base64 between its two lines, as OpenSSL writes it.
fn pem(label: &str, der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digits = String::new();
    for part in der.chunks(3) {
        let bits = part.iter().fold(0, |bits, &byte| bits << 8 | usize::from(byte));
        let bits = bits << (8 * (3 - part.len()));
        for place in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * place) & 63]);
            digits.push(if place <= part.len() { digit } else { '=' });
        }
    }
    let lines: Vec<_> = digits.as_bytes().chunks(64).map(|l| str::from_utf8(l).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn certificate_pem(certificate: &Certificate) -> String {
    pem("CERTIFICATE", certificate.der())
}

fn key_pem(key: &KeyPair) -> String {
    pem("PRIVATE KEY", &key.serialize_der())
}

fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = certificate_pem(&params.self_signed(&key).unwrap());
    (pem, Issuer::new(params, key))
}

impl Files {
    fn new() -> Self {
        let this = Self { folder: tempfile::tempdir().unwrap() };
        let (ca, issuer) = authority("an authority");
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["db.example".into()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        this.write("ca.pem", &ca);
        this.write("other-ca.pem", &authority("another").0);
        this.write("server.pem", &certificate_pem(&certificate));
        this.write("server.key", &key_pem(&key));
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// The error's kind and text, without the folder.
    fn refused(
        &self,
        certificate: &str,
        key: &str,
        ca: Option<&str>,
    ) -> (std::io::ErrorKind, String) {
        let ca = ca.map(|name| self.path(name));
        let made =
            ServerTls::from_pem_files(&self.path(certificate), &self.path(key), ca.as_deref());
        let error = made.expect_err("was taken");
        let folder = format!("{}/", self.folder.path().display());
        (error.kind(), error.to_string().replace(&folder, ""))
    }

    fn server(&self, ca: Option<&str>) -> ServerConfig {
        let ca = ca.map(|name| self.path(name));
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        let tls = ServerTls::from_pem_files(&certificate, &key, ca.as_deref()).unwrap();
        ServerConfig { tls: Some(tls), ..ServerConfig::default() }
    }

    fn roots(&self, name: &str) -> Arc<RootCertStore> {
        ClientTls::roots_from_pem_file(&self.path(name)).unwrap()
    }
}

#[tokio::test]
async fn a_client_checks_who_signed_and_for_whom_as_it_was_told() {
    let files = Files::new();
    let (address, _) = start(files.server(None)).await;
    let (right, wrong) = (files.roots("ca.pem"), files.roots("other-ca.pem"));
    let nobody = Arc::new(RootCertStore::empty());
    for (tls, host, expected) in [
        (ClientTls::Required, "elsewhere.example", Ok(())),
        (ClientTls::VerifyCa(right.clone()), "db.example", Ok(())),
        (ClientTls::VerifyCa(right.clone()), "elsewhere.example", Ok(())),
        (ClientTls::VerifyCa(right.clone()), "127.0.0.1", Ok(())),
        (ClientTls::VerifyCa(right.clone()), "", Ok(())),
        (ClientTls::VerifyCa(wrong.clone()), "db.example", Err("UnknownIssuer")),
        (ClientTls::VerifyIdentity(right.clone()), "db.example", Ok(())),
        (ClientTls::VerifyIdentity(right.clone()), "DB.Example", Ok(())),
        (ClientTls::VerifyIdentity(right.clone()), "elsewhere.example", Err("not valid for name")),
        (ClientTls::VerifyIdentity(right.clone()), "127.0.0.1", Err("not valid for name")),
        (ClientTls::VerifyIdentity(right), "", Err("invalid dns name")),
        (ClientTls::VerifyIdentity(wrong), "db.example", Err("UnknownIssuer")),
        (ClientTls::VerifyIdentity(nobody), "db.example", Err("UnknownIssuer")),
    ] {
        let case = format!("{tls:?} {host:?}");
        let config = ClientConfig { tls, host: host.into(), ..as_user("sha", "secret") };
        match (connect(address, &config).await, expected) {
            (Ok(mut client), Ok(())) => client.ping().await.unwrap(),
            (Err(Error::Io(error)), Err(part)) => {
                assert!(error.to_string().contains(part), "{case}: {error}");
            }
            (other, _) => panic!("{case}: {:?}", other.map(|_| ())),
        }
    }
}

#[tokio::test]
async fn a_certificate_signed_by_itself_can_be_trusted_by_name() {
    let files = Files::new();
    let made = rcgen::generate_simple_self_signed(vec!["db.example".to_owned()]).unwrap();
    files.write("server.pem", &certificate_pem(&made.cert));
    files.write("server.key", &key_pem(&made.signing_key));
    let (address, _) = start(files.server(None)).await;
    for (trusted, accepted) in [("server.pem", true), ("ca.pem", false)] {
        let tls = ClientTls::VerifyIdentity(files.roots(trusted));
        let config = ClientConfig { tls, host: "db.example".into(), ..as_user("sha", "secret") };
        assert_eq!(connect(address, &config).await.is_ok(), accepted, "{trusted}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_asked_for_need_not_be_there_but_must_be_right() {
    let files = Files::new();
    let (address, _) = start(files.server(Some("ca.pem"))).await;
    let config = ClientConfig { tls: ClientTls::Required, ..as_user("sha", "secret") };
    connect(address, &config).await.unwrap().ping().await.unwrap();
    let shown = |certificate: &str, key: &str| {
        let identity = ClientIdentity::from_pem_files(&files.path(certificate), &files.path(key));
        ClientConfig { identity: Some(Arc::new(identity.unwrap())), ..config.clone() }
    };
    // That of the server is signed by the authority, too.
    connect(address, &shown("server.pem", "server.key")).await.unwrap().ping().await.unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["client".to_owned()]).unwrap();
    files.write("client.pem", &certificate_pem(&other.cert));
    files.write("client.key", &key_pem(&other.signing_key));
    let refused = match connect(address, &shown("client.pem", "client.key")).await {
        Ok(mut client) => client.ping().await.is_err(),
        Err(_) => true,
    };
    assert!(refused);
}

#[test]
fn a_missing_file_is_named() {
    let files = Files::new();
    let missing = "missing: No such file or directory (os error 2)".to_owned();
    let expected = (std::io::ErrorKind::NotFound, missing);
    assert_eq!(files.refused("missing", "server.key", None), expected);
    assert_eq!(files.refused("server.pem", "missing", None), expected);
    assert_eq!(files.refused("server.pem", "server.key", Some("missing")), expected);
    let roots = ClientTls::roots_from_pem_file(Path::new("missing")).unwrap_err();
    assert_eq!((roots.kind(), roots.to_string()), expected);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let files = Files::new();
    files.write("other.key", &key_pem(&KeyPair::generate().unwrap()));
    let (_, error) = files.refused("server.pem", "other.key", None);
    let folder = files.folder.path().display();
    assert_eq!(error.replace(&format!("{folder}/"), ""), "other.key: not the key of server.pem");
}

#[test]
fn files_with_something_else_in_them_are_refused_in_one_line_that_names_them() {
    let files = Files::new();
    files.write("empty", "");
    files.write("garbage", "\0\u{1}no PEM\nat all\n");
    files.write("cut", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    files.write("no base64", "-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n");
    files.write("no der", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    files.write("no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    for (certificate, key, ca, named) in [
        ("empty", "server.key", None, "empty: no certificate in it"),
        ("garbage", "server.key", None, "garbage: no certificate in it"),
        ("server.key", "server.key", None, "server.key: no certificate in it"),
        ("cut", "server.key", None, "cut: "),
        ("no base64", "server.key", None, "no base64: "),
        ("no der", "server.key", None, "no der: "),
        ("server.pem", "empty", None, "empty: no private key in it"),
        ("server.pem", "garbage", None, "garbage: no private key in it"),
        ("server.pem", "server.pem", None, "server.pem: no private key in it"),
        ("server.pem", "no key", None, "no key: "),
        ("server.pem", ".", None, ".: "),
        ("server.pem", "server.key", Some("garbage"), "garbage: no certificate in it"),
        ("server.pem", "server.key", Some("no der"), "no der: "),
    ] {
        let (_, error) = files.refused(certificate, key, ca);
        assert!(error.starts_with(named), "{named}: {error}");
        assert!(error.len() > named.len() - 1 && !error.contains('\n'), "{error:?}");
    }
}
