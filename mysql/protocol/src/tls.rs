//! TLS for both sides, by rustls on aws-lc-rs.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::packet::BoxedStream;
pub use crate::x509::ClientCertificate;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    let found = read().map_err(|e| no_pem(path, e))?;
    if found.is_empty() {
        return Err(at(path, "no certificate in it"));
    }
    Ok(found)
}

fn at(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
}

fn no_pem(path: &Path, error: pem::Error) -> io::Error {
    match error {
        pem::Error::Io(error) => {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        }
        other => at(path, other),
    }
}

/// A server's certificate and key.
#[derive(Clone)]
pub struct ServerTls {
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

impl ServerTls {
    /// A certificate made now, signed by itself, for these host names. Clients
    /// that check certificates do not accept it.
    pub fn generated(host_names: &[&str]) -> io::Result<Self> {
        let names: Vec<String> = host_names.iter().map(|&name| name.into()).collect();
        let made = rcgen::generate_simple_self_signed(names).map_err(invalid)?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        Self::new(vec![made.cert.der().clone()], key, None).map_err(invalid)
    }

    /// The certificate chain and the private key in these PEM files. With
    /// `client_ca`, clients are asked for a certificate: they need none, but what they
    /// show must be signed by it.
    ///
    /// An error names the file and what is wrong with it, in one line.
    pub fn from_pem_files(
        certificate: &Path,
        private_key: &Path,
        client_ca: Option<&Path>,
    ) -> io::Result<Self> {
        let key = key(private_key)?;
        let verifier = client_ca.map(client_verifier).transpose()?;
        Self::new(certificates(certificate)?, key, verifier).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                at(private_key, format_args!("not the key of {}", certificate.display()))
            }
            rustls::Error::General(_) => at(private_key, error),
            other => at(certificate, other),
        })
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        verifier: Option<Arc<dyn ClientCertVerifier>>,
    ) -> Result<Self, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?;
        let builder = match verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(verifier),
        };
        let config = builder.with_single_cert(chain, key)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(crate) async fn accept(self, stream: BoxedStream) -> io::Result<(BoxedStream, Secured)> {
        let stream = self.acceptor.accept(stream).await?;
        let (_, connection) = stream.get_ref();
        let suite = connection.negotiated_cipher_suite().map(|suite| suite.suite());
        let shown = connection.peer_certificates().and_then(|chain| chain.first());
        let secured = Secured {
            cipher: suite.map(|suite| cipher_name(&format!("{suite:?}"))).unwrap_or_default(),
            certificate: shown.and_then(|one| ClientCertificate::from_der(one)),
        };
        Ok((Box::new(stream), secured))
    }
}

/// What is known of an encrypted connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secured {
    /// The cipher, by OpenSSL's name.
    pub cipher: String,
    /// The client's certificate, if it has shown one that was asked for.
    pub certificate: Option<ClientCertificate>,
}

/// OpenSSL's name of a cipher suite.
fn cipher_name(suite: &str) -> String {
    if let Some(rest) = suite.strip_prefix("TLS13_") {
        return format!("TLS_{rest}");
    }
    let name = suite.strip_prefix("TLS_").unwrap_or(suite).replace("_WITH_", "_");
    let name = name.replace("AES_", "AES").replace("CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305");
    name.replace('_', "-")
}

/// A certificate that a client shows, and its key.
pub struct ClientIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

impl ClientIdentity {
    /// The certificate chain and the private key in these PEM files.
    ///
    /// # Errors
    /// As [`ServerTls::from_pem_files`].
    pub fn from_pem_files(certificate: &Path, private_key: &Path) -> io::Result<Self> {
        Ok(Self { chain: certificates(certificate)?, key: key(private_key)? })
    }
}

fn key(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path).map_err(|e| match e {
        pem::Error::NoItemsFound => at(path, "no private key in it"),
        other => no_pem(path, other),
    })
}

fn client_verifier(ca: &Path) -> io::Result<Arc<dyn ClientCertVerifier>> {
    let roots = Arc::new(roots(ca)?);
    WebPkiClientVerifier::builder_with_provider(roots, provider())
        .allow_unauthenticated()
        .build()
        .map_err(|e| at(ca, e))
}

fn roots(path: &Path) -> io::Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|e| at(path, e))?;
    }
    Ok(store)
}

/// Whether and how a client uses TLS.
#[derive(Clone, Debug, Default)]
pub enum ClientTls {
    /// Never.
    Disabled,
    /// If the server offers it; its certificate is not checked.
    #[default]
    Preferred,
    /// Always; the certificate is not checked.
    Required,
    /// Always; the certificate must be signed by one of these.
    VerifyCa(Arc<RootCertStore>),
    /// As `VerifyCa`, and it must be for the name of the server.
    VerifyIdentity(Arc<RootCertStore>),
}

impl ClientTls {
    /// The certificates in this PEM file, to verify servers with.
    pub fn roots_from_pem_file(path: &Path) -> io::Result<Arc<RootCertStore>> {
        Ok(Arc::new(roots(path)?))
    }

    pub(crate) async fn connect(
        &self,
        stream: BoxedStream,
        host: &str,
        identity: Option<&ClientIdentity>,
    ) -> io::Result<BoxedStream> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(invalid)?;
        let config = match self {
            Self::VerifyIdentity(roots) => builder.with_root_certificates(Arc::clone(roots)),
            other => {
                let inner = match other {
                    Self::VerifyCa(roots) => Some(
                        WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), provider())
                            .build()
                            .map_err(invalid)?,
                    ),
                    _ => None,
                };
                let verifier = Arc::new(AnyName { inner, provider: provider() });
                builder.dangerous().with_custom_certificate_verifier(verifier)
            }
        };
        let name = match ServerName::try_from(host.to_owned()) {
            Ok(name) => name,
            Err(error) if matches!(self, Self::VerifyIdentity(_)) => return Err(invalid(error)),
            Err(_) => ServerName::from(std::net::IpAddr::from([127, 0, 0, 1])),
        };
        let config = match identity {
            Some(ClientIdentity { chain, key }) => {
                config.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(invalid)?
            }
            None => config.with_no_client_auth(),
        };
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Box::new(connector.connect(name, stream).await?))
    }
}

/// Checks the signer of a certificate, if one is given, and not its name.
#[derive(Debug)]
struct AnyName {
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The name is looked at last: the signature was good.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
