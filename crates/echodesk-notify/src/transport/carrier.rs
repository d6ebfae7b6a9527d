//! Whichever way is set.

use super::{Console, Folder, SmtpSession, SmtpTransport};
use crate::mail::Mail;
use crate::ports::{SendError, Session, Transport, TransportDown};

/// One of the ways for mails to go.
#[derive(Debug)]
pub enum Carrier {
    /// A mail server.
    Smtp(SmtpTransport),
    /// A folder.
    Folder(Folder),
    /// To be looked at.
    Console(Console),
}

/// A connection of a [`Carrier`].
#[derive(Debug)]
pub enum CarrierSession {
    /// With a mail server.
    Smtp(Box<SmtpSession>),
    /// With a folder.
    Folder(Folder),
    /// With the console.
    Console(Console),
}

impl Transport for Carrier {
    type Session = CarrierSession;

    async fn connect(&self) -> Result<CarrierSession, TransportDown> {
        Ok(match self {
            Self::Smtp(smtp) => CarrierSession::Smtp(Box::new(smtp.connect().await?)),
            Self::Folder(folder) => CarrierSession::Folder(folder.connect().await?),
            Self::Console(console) => CarrierSession::Console(console.connect().await?),
        })
    }
}

impl Session for CarrierSession {
    async fn send(&mut self, mail: &Mail) -> Result<(), SendError> {
        match self {
            Self::Smtp(session) => session.send(mail).await,
            Self::Folder(session) => session.send(mail).await,
            Self::Console(session) => session.send(mail).await,
        }
    }

    async fn quit(self) {
        match self {
            Self::Smtp(session) => session.quit().await,
            Self::Folder(session) => session.quit().await,
            Self::Console(session) => session.quit().await,
        }
    }
}
