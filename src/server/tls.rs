//! TLS, where a certificate is configured (v1-system §2).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::socket::Socket;

/// What HTTP/2 and HTTP/1.1 are called when a client asks for one (RFC 7301 §6, RFC 9113 §3.1).
const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// Who this server is, and whose clients it takes.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The server's certificate and those that lead to an authority, in PEM (`cert_file`).
    pub(crate) certificates: PathBuf,
    /// Its key, in PEM (`key_file`).
    pub(crate) key: PathBuf,
    /// Authorities: clients must show a certificate of one of them (`ca_file`); `None`: they need none.
    pub(crate) client_authorities: Option<PathBuf>,
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}: {reason}", .path.display())]
pub(crate) struct TlsError {
    /// Which of them.
    pub(crate) file: File,
    path: PathBuf,
    reason: String,
}

/// One of [`Files`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum File {
    /// The certificates.
    Certificates,
    /// The key.
    Key,
    /// The clients' authorities.
    ClientAuthorities,
}

/// Makes connections confidential.
#[derive(Debug, Clone)]
pub(crate) struct Tls(Arc<ServerConfig>);

impl Tls {
    /// Reads the files; `http2`: it is offered to clients.
    ///
    /// # Errors
    /// One cannot be read or used, or the key is not the certificate's.
    pub(crate) fn open(files: &Files, http2: bool) -> Result<Self, TlsError> {
        let unusable = |file, path: &Path, reason| TlsError { file, path: path.to_owned(), reason };
        let bad_certificates = |reason| unusable(File::Certificates, &files.certificates, reason);
        let bad_key = |reason| unusable(File::Key, &files.key, reason);

        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = certificates(&files.certificates).map_err(bad_certificates)?;
        let key = PrivateKeyDer::from_pem_file(&files.key);
        let key = key.map_err(|error| bad_key(told(&error, "no key in it, or an encrypted one")))?;
        let identity = certified(chain, key, &provider).map_err(|mismatch| match mismatch {
            Mismatch::Certificate(reason) => bad_certificates(reason),
            Mismatch::Key(error) => bad_key(error.to_string()),
            Mismatch::Pair => bad_key(format!("it is not the key of {}", files.certificates.display())),
        })?;
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| bad_certificates(error.to_string()))?;
        let config = match &files.client_authorities {
            None => config.with_no_client_auth(),
            Some(path) => {
                let bad = |reason| unusable(File::ClientAuthorities, path, reason);
                let authorities = Arc::new(authorities(path).map_err(bad)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider).build();
                config.with_client_cert_verifier(verifier.map_err(|error| bad(error.to_string()))?)
            }
        };
        let mut config = config.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
        config.alpn_protocols = if http2 { vec![HTTP_2.to_vec(), HTTP_1.to_vec()] } else { vec![HTTP_1.to_vec()] };
        Ok(Self(Arc::new(config)))
    }

    /// Agrees with the client on keys and protocol.
    ///
    /// # Errors
    /// The client does not, or goes away.
    pub(super) async fn accept(&self, socket: Socket) -> io::Result<TlsStream<Socket>> {
        TlsAcceptor::from(Arc::clone(&self.0)).accept(socket).await
    }
}

/// Whether the client wants to speak HTTP/2.
pub(super) fn wants_http2(stream: &TlsStream<Socket>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP_2)
}

/// Why a certificate and a key make no server.
enum Mismatch {
    Certificate(String),
    Key(rustls::Error),
    Pair,
}

/// Joins the server's certificate, the first of `chain`, and its key. The library's own way refuses certificates of
/// X.509 version 1, which `openssl x509` makes and clients take.
fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Mismatch> {
    let key = provider.key_provider.load_private_key(key).map_err(Mismatch::Key)?;
    // As an authority it may be of any version.
    let mut parsed = RootCertStore::empty();
    parsed.add(chain[0].clone()).map_err(|error| Mismatch::Certificate(wrong_with(&error)))?;
    let certified_key = &parsed.roots[0].subject_public_key_info;
    match key.public_key() {
        // The certificate's lacks the outermost tag and length.
        Some(public) if !public.ends_with(certified_key) => Err(Mismatch::Pair),
        _ => Ok(CertifiedKey::new(chain, key)),
    }
}

fn authorities(file: &Path) -> Result<RootCertStore, String> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(file)? {
        authorities.add(certificate).map_err(|error| wrong_with(&error))?;
    }
    Ok(authorities)
}

/// What is wrong with a certificate of our own, which the library takes for that of a peer.
fn wrong_with(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// All certificates of a file; there is at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let some = found.and_then(|found| if found.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(found) });
    some.map_err(|error| told(&error, "no certificate in it"))
}

/// What is wrong with a PEM file; `none`: there is nothing in it of the kind that is wanted.
fn told(error: &pem::Error, none: &str) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => none.to_owned(),
        other => other.to_string(),
    }
}
