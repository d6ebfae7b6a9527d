//! TLS, always verified: the certificate's chain and the host name in it.

use std::path::Path;
use std::time::Duration;

use native_tls::{Certificate, Protocol, TlsConnector};
use tokio::net::TcpStream;
use tokio_native_tls::TlsStream;

use super::answer::one_line;
use super::limits::within;
use crate::settings::EmailSettingsError;

/// A connector that trusts the system's authorities and those of an extra file.
pub(super) fn connector(extra: Option<&Path>) -> Result<TlsConnector, EmailSettingsError> {
    const NAME: &str = "ECHODESK_CA_FILE";
    let wrong = |name, problem| EmailSettingsError { name, problem };
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    if let Some(path) = extra {
        let pem =
            std::fs::read(path).map_err(|error| wrong(NAME, format!("cannot read {}: {error}", path.display())))?;
        let certificates = Certificate::stack_from_pem(&pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err(wrong(NAME, format!("{} holds no certificate authorities in PEM", path.display())));
        }
        for certificate in certificates {
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| wrong("TLS", format!("cannot be set up: {error}")))
}

/// Makes the handshake.
pub(super) async fn secure(
    connector: &TlsConnector,
    host: &str,
    tcp: TcpStream,
    limit: Duration,
) -> Result<TlsStream<TcpStream>, String> {
    let connector = tokio_native_tls::TlsConnector::from(connector.clone());
    let shaken = within(limit, connector.connect(host, tcp)).await;
    shaken.map_err(|late| format!("TLS: {late}"))?.map_err(|error| in_words(&error.to_string()))
}

/// OpenSSL's words in ours, where that helps to put it right.
fn in_words(problem: &str) -> String {
    let lower = problem.to_lowercase();
    let says = |known: &[&str]| known.iter().any(|part| lower.contains(part));
    if says(&["certificate verify failed"]) {
        let verdict = problem.rsplit_once('(').map_or("", |(_, verdict)| verdict.trim_end_matches(')').trim());
        if verdict.to_lowercase().contains("mismatch") {
            return "the server's certificate is for another host: EMAIL_HOST must be the name in it".to_owned();
        }
        return format!(
            "the server's certificate is not trusted: {} (authorities of your own: ECHODESK_CA_FILE)",
            one_line(verdict)
        );
    }
    if says(&["wrong version number", "packet length too long", "record length mismatch", "unknown protocol"]) {
        return "the server does not speak TLS on this port; perhaps it wants STARTTLS (EMAIL_USE_TLS)".to_owned();
    }
    if says(&["unexpected eof", "connection reset", "broken pipe", "close notify"]) {
        return "the server hung up in the middle of the TLS handshake".to_owned();
    }
    format!("TLS: {}", one_line(problem))
}
