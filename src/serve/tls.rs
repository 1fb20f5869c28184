//! TLS from certificate files, which may be replaced while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config;

/// The protocols offered, the preferred one first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificate in use.
pub struct Tls {
    certificate: PathBuf,
    private_key: PathBuf,
    current: Mutex<Current>,
}

struct Current {
    /// The content of the files when they were last loaded, to detect changes.
    files: [Vec<u8>; 2],
    config: Arc<ServerConfig>,
}

/// Why a certificate cannot be used, as one line that names the setting and the file.
#[derive(Debug, thiserror::Error)]
#[error("{key} = {path:?}: {reason}")]
pub struct TlsError {
    key: &'static str,
    path: PathBuf,
    reason: String,
}

impl Tls {
    /// Reads the files that the configuration names; `None` when it names none.
    pub fn read(settings: &config::Server) -> Result<Option<Arc<Tls>>, TlsError> {
        let (Some(certificate), Some(private_key)) = (&settings.tls_certificate, &settings.tls_private_key) else {
            return Ok(None);
        };
        let current = Mutex::new(load(certificate, private_key)?);
        Ok(Some(Arc::new(Tls { certificate: certificate.clone(), private_key: private_key.clone(), current })))
    }

    /// Reloads files that were replaced. Files that do not match each other, as in the middle of a replacement, change
    /// nothing. A running server does this every 30 seconds.
    pub fn reload(&self) {
        match load(&self.certificate, &self.private_key) {
            Ok(loaded) => {
                let mut current = self.current();
                if loaded.files != current.files {
                    *current = loaded;
                    tracing::info!("certificate reloaded");
                }
            }
            Err(error) => tracing::warn!(%error, "certificate reload failed; previous certificate stays in use"),
        }
    }

    /// Returns the acceptor for the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current().config.clone())
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(certificate: &Path, private_key: &Path) -> Result<Current, TlsError> {
    let refuse = |key, path: &Path, reason: String| TlsError { key, path: path.to_owned(), reason };
    let about_certificate = |reason: String| refuse("server.tls_certificate", certificate, reason);
    let about_key = |reason: String| refuse("server.tls_private_key", private_key, reason);
    let files = [
        fs::read(certificate).map_err(|error| about_certificate(error.to_string()))?,
        fs::read(private_key).map_err(|error| about_key(error.to_string()))?,
    ];
    let chain = CertificateDer::pem_slice_iter(&files[0]).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| about_certificate(format!("expected certificates in PEM form: {error}")))?;
    if chain.is_empty() {
        return Err(about_certificate("expected certificates in PEM form: there is none".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&files[1])
        .map_err(|error| about_key(format!("expected a private key in PEM form: {error}")))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| about_key(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| about_key(format!("does not fit the certificate: {error}")))?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Current { files, config: Arc::new(config) })
}
