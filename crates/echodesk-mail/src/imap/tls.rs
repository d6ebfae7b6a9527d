//! TLS, always verified: the certificate's chain and the host name in it.

use std::error::Error;
use std::path::PathBuf;

use native_tls::{Certificate, HandshakeError, Protocol, TlsConnector, TlsStream};

use super::connect::bare;
use super::socket::{LimitedTcp, Limits};
use super::stream::failure;
use super::tls_problem;
use crate::model::Endpoint;
use crate::ports::MailServerError;

/// Names the phase in errors.
pub(super) const SECURING: &str = "securing the connection";

/// Certificate authorities to trust beside those of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraCa {
    /// Where they were read from, to be named in errors.
    pub path: PathBuf,
    /// The file's content: certificates in PEM.
    pub pem: Vec<u8>,
}

/// Why the settings do not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImapSettingsError {
    /// The file of certificate authorities cannot be used.
    #[error("{} holds no certificate authorities in PEM that can be read", path.display())]
    ExtraCa {
        /// The file.
        path: PathBuf,
        /// What OpenSSL said, if anything.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// TLS itself cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn Error + Send + Sync>),
}

/// A connector that trusts the system's authorities and the extra ones. The system's are found even
/// where OpenSSL was compiled in and looks for them in the wrong folder: `native-tls` probes the
/// usual places, and `SSL_CERT_FILE` and `SSL_CERT_DIR`.
///
/// # Errors
/// The extra file has no certificate in it, or TLS cannot be set up.
pub(super) fn connector(extra_ca: Option<&ExtraCa>) -> Result<TlsConnector, ImapSettingsError> {
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    if let Some(extra) = extra_ca {
        let unusable = |source: Option<native_tls::Error>| ImapSettingsError::ExtraCa {
            path: extra.path.clone(),
            source: source.map(Into::into),
        };
        let certificates = Certificate::stack_from_pem(&extra.pem).map_err(|source| unusable(Some(source)))?;
        if certificates.is_empty() {
            return Err(unusable(None));
        }
        for certificate in certificates {
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| ImapSettingsError::Tls(error.into()))
}

/// Makes the handshake on `tcp`.
///
/// # Errors
/// The certificate does not hold for this host, the other side does not speak TLS, or a limit was
/// hit.
pub(super) fn secure(
    connector: &TlsConnector,
    endpoint: &Endpoint,
    tcp: LimitedTcp,
    limits: &Limits,
) -> Result<Box<TlsStream<LimitedTcp>>, MailServerError> {
    match connector.connect(bare(&endpoint.host), tcp) {
        Ok(tls) => Ok(Box::new(tls)),
        Err(error) => {
            let words = match error {
                HandshakeError::Failure(error) => tls_problem::in_words(&error.to_string(), endpoint.security),
                HandshakeError::WouldBlock(_) => "the handshake was interrupted".to_owned(),
            };
            match failure(limits, SECURING, std::io::ErrorKind::Other.into()) {
                MailServerError::Lost { .. } => {
                    Err(MailServerError::Tls { endpoint: endpoint.to_string(), problem: words })
                }
                limit => Err(limit),
            }
        }
    }
}
