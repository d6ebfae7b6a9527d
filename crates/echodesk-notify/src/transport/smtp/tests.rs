//! Against a server of our own that answers as it is told.

mod dialogue;
mod security;
mod server;

use std::time::Duration;

use super::*;
use crate::ports::{SendError, Session as _};
use crate::settings::{SmtpCredentials, SmtpSecurity};
use server::Server;

const SHORT: Duration = Duration::from_millis(500);

/// Settings for a server of the tests.
fn settings(server: &Server) -> SmtpSettings {
    SmtpSettings {
        host: "localhost".to_owned(),
        port: server.port,
        security: SmtpSecurity::None,
        credentials: None,
        ca_file: None,
        limits: SmtpLimits { connect: SHORT, command: SHORT, message: SHORT },
    }
}

fn credentials() -> SmtpCredentials {
    SmtpCredentials { user: "jobs".to_owned(), password: echodesk_core::Secret::new("hunter2") }
}

async fn connect(settings: SmtpSettings) -> Result<SmtpSession, TransportDown> {
    SmtpTransport::new(settings).unwrap().connect().await
}
