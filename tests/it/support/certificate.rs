//! A certificate file for loopback addresses, and clients that trust only it.

use std::fs;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

/// A certificate and its private key, in the files that the server reads.
pub(crate) struct Certificate {
    directory: TempDir,
}

impl Certificate {
    /// Creates a certificate in a new directory.
    pub(crate) fn new() -> Certificate {
        let certificate = Certificate { directory: tempfile::tempdir().unwrap() };
        certificate.replace();
        certificate
    }

    /// Writes another certificate and key over the files.
    pub(crate) fn replace(&self) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        fs::write(self.certificate(), cert.pem()).unwrap();
        fs::write(self.key(), signing_key.serialize_pem()).unwrap();
    }

    /// The path of the certificate.
    pub(crate) fn certificate(&self) -> String {
        self.path("certificate.pem")
    }

    /// The path of the private key.
    pub(crate) fn key(&self) -> String {
        self.path("key.pem")
    }

    /// Builds a client that trusts only the certificate that is now in the file.
    pub(crate) fn client(&self) -> reqwest::ClientBuilder {
        let certificate = reqwest::Certificate::from_pem(&fs::read(self.certificate()).unwrap()).unwrap();
        reqwest::Client::builder().tls_certs_only([certificate])
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }
}
