//! Opening a connection: address, TLS, greeting, log-in.

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::{ClientId, Extension};
use native_tls::TlsConnector;
use tokio::net::{TcpStream, lookup_host};

use super::answer::{code, in_words};
use super::limits::within;
use super::preface::start_tls;
use super::probe::{SmtpObstacle, SmtpProbeError};
use super::tls::secure;
use super::wire::Wire;
use crate::settings::{SmtpCredentials, SmtpSecurity, SmtpSettings};

/// In the order in which they are tried.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// A connection that mails can go over, or why there is none.
pub(super) async fn open(settings: &SmtpSettings, tls: &TlsConnector) -> Result<AsyncSmtpConnection, SmtpProbeError> {
    let limits = &settings.limits;
    let host = settings.host.trim_start_matches('[').trim_end_matches(']');
    let hello = ClientId::default();
    let mut tcp = dial(settings, host).await?;
    let wire = match settings.security {
        SmtpSecurity::None => Wire::clear(tcp),
        SmtpSecurity::Tls => {
            Wire::tls(secure(tls, host, tcp, limits.connect).await.map_err(SmtpObstacle::Tls.because())?)
        }
        SmtpSecurity::StartTls => {
            start_tls(&mut tcp, &hello.to_string(), limits).await?;
            Wire::greeted(secure(tls, host, tcp, limits.connect).await.map_err(SmtpObstacle::Tls.because())?)
        }
    };
    let opened = within(limits.command, AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello)).await;
    let mut connection = opened
        .map_err(|late| SmtpObstacle::Greeting.because()(format!("{late} (greeting)")))?
        .map_err(|error| SmtpObstacle::Greeting.because()(format!("{} (greeting)", in_words(&error))))?;
    if let Some(credentials) = &settings.credentials {
        within(limits.command, log_in(&mut connection, credentials))
            .await
            .map_err(|late| format!("{late} (log-in)"))
            .flatten()
            .map_err(SmtpObstacle::LogIn.because())?;
    }
    Ok(connection)
}

/// The first of the server's addresses that answers. The library would leave Nagle's algorithm on, which makes
/// each mail wait for a delayed acknowledgement.
async fn dial(settings: &SmtpSettings, host: &str) -> Result<TcpStream, SmtpProbeError> {
    let limit = settings.limits.connect;
    let found = within(limit, lookup_host((host, settings.port))).await.map_err(SmtpObstacle::Resolve.because())?;
    let addresses =
        found.map_err(|error| SmtpObstacle::Resolve.because()(format!("its address cannot be found: {error}")))?;
    let mut problem = "it has no address".to_owned();
    for address in addresses {
        match within(limit, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                let set = tcp.set_nodelay(true).map_err(|error| format!("cannot connect: {error}"));
                return set.map(|()| tcp).map_err(SmtpObstacle::Connect.because());
            }
            Ok(Err(error)) => problem = format!("cannot connect: {error}"),
            Err(late) => problem = late,
        }
    }
    Err(SmtpObstacle::Connect.because()(problem))
}

async fn log_in(connection: &mut AsyncSmtpConnection, credentials: &SmtpCredentials) -> Result<(), String> {
    let offered = |mechanism| connection.server_info().supports_feature(Extension::Authentication(mechanism));
    if !MECHANISMS.into_iter().any(offered) {
        return Err("it offers no way to log in that we know (PLAIN or LOGIN)".to_owned());
    }
    let known = Credentials::new(credentials.user.clone(), credentials.password.expose().to_owned());
    match connection.auth(&MECHANISMS, &known).await {
        Ok(_) => Ok(()),
        // Only answers about the log-in itself are shown: a server that does not understand the command may
        // repeat it, with the password in it.
        Err(error) => Err(match code(&error) {
            Some(432 | 454 | 530 | 534 | 535 | 538) => format!("log-in refused: {}", in_words(&error)),
            Some(code) => format!("log-in refused: {code}"),
            None => "the connection was lost during log-in".to_owned(),
        }),
    }
}
