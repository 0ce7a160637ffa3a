//! The certificates that are accepted: the machine's roots, a bundle, or any.
//!
//! `rustls` with `ring` does the work. `SSL_CERT_FILE` and `SSL_CERT_DIR` name the roots where the machine has none,
//! as in an image that holds nothing but the program.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// Whom the TLS client trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The certificate authorities of the machine.
    Machine,
    /// The authorities in a file in PEM format, and no others.
    Bundle(PathBuf),
    /// Any certificate for any host, as `NoVerifySSL` asks for.
    ///
    /// For tests behind a proxy that opens TLS.
    Anything,
}

/// The reason why no TLS client can be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrustError {
    /// The bundle can't be read, or holds no certificate.
    Bundle {
        /// The path of `AWS_CA_BUNDLE`.
        path: PathBuf,
        /// The fault of the file.
        reason: String,
    },
    /// The TLS library refuses its own settings.
    Tls(rustls::Error),
}

impl std::fmt::Display for TrustError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bundle { path, reason } => write!(
                f,
                "AWS_CA_BUNDLE: cannot use `{}`: {reason}; a file of certificates in PEM format is accepted",
                path.display()
            ),
            Self::Tls(error) => write!(f, "cannot set up TLS: {error}"),
        }
    }
}

impl std::error::Error for TrustError {}

impl Trust {
    /// The TLS client, and a warning if it will accept nothing or too much.
    ///
    /// # Errors
    ///
    /// If the bundle can't be read or holds no certificate.
    pub(super) fn client(&self) -> Result<(ClientConfig, Option<String>), TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Tls)?;
        match self {
            Self::Anything => {
                let verifier = Arc::new(AnyCertificate(provider));
                let client =
                    builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
                Ok((client, Some("NoVerifySSL: certificates are not verified".to_owned())))
            }
            Self::Bundle(path) => {
                let roots = read_bundle(path)?;
                Ok((builder.with_root_certificates(roots).with_no_client_auth(), None))
            }
            Self::Machine => {
                let (roots, warning) = machine_roots();
                Ok((builder.with_root_certificates(roots).with_no_client_auth(), warning))
            }
        }
    }
}

fn machine_roots() -> (RootCertStore, Option<String>) {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    let warning = roots.is_empty().then(|| {
        let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        format!(
            "No root certificates found, so that no TLS connection can be made: set SSL_CERT_FILE to a file in PEM format. {}",
            reasons.join("; ")
        )
    });
    (roots, warning)
}

fn read_bundle(path: &Path) -> Result<RootCertStore, TrustError> {
    let error = |reason: String| TrustError::Bundle { path: path.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|err| error(err.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|err| error(err.to_string()))?;
        roots.add(certificate).map_err(|err| error(err.to_string()))?;
    }
    if roots.is_empty() {
        return Err(error("the file holds no certificate".to_owned()));
    }
    Ok(roots)
}

/// Accepts any certificate for any host.
///
/// The handshake's own signatures are still verified.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        let directory = std::env::temp_dir().join(format!("xray-daemon-trust-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("empty.pem");
        std::fs::write(&path, "no certificate here\n").unwrap();
        let error = Trust::Bundle(path.clone()).client().unwrap_err().to_string();
        assert!(error.contains("empty.pem") && error.contains("AWS_CA_BUNDLE"), "{error}");
        let missing = Trust::Bundle(directory.join("missing.pem")).client().unwrap_err().to_string();
        assert!(missing.contains("missing.pem"), "{missing}");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn no_verification_is_reported() {
        let (_, warning) = Trust::Anything.client().unwrap();
        assert!(warning.unwrap().contains("NoVerifySSL"));
    }
}
