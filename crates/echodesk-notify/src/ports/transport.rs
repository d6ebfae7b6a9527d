//! A way for mails to go.

use std::future::Future;

use crate::mail::Mail;

/// Where mails are handed over: a mail server, a folder, a terminal.
pub trait Transport: Send + Sync + 'static {
    /// A connection, over which many mails go.
    type Session: Session;

    /// Opens a connection.
    fn connect(&self) -> impl Future<Output = Result<Self::Session, TransportDown>> + Send;
}

/// A connection over which mails go one after another.
pub trait Session: Send + 'static {
    /// Hands one mail over. After [`SendError::Broken`], [`SendError::InDoubt`] and [`SendError::Down`] the
    /// connection is of no use.
    fn send(&mut self, mail: &Mail) -> impl Future<Output = Result<(), SendError>> + Send;

    /// Ends the connection in good order.
    fn quit(self) -> impl Future<Output = ()> + Send;
}

/// No mail can be sent at all: nothing about any one of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TransportDown(pub String);

/// Why one mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Refused for good (5xx on the recipient or the message).
    #[error("{0}")]
    Refused(String),
    /// Refused for now (4xx on the recipient or the message).
    #[error("{0}")]
    NotNow(String),
    /// The connection broke over this mail, or the server ended it (421), before the mail can have been taken.
    #[error("{0}")]
    Broken(String),
    /// The same, once the mail was on its way: it may have been taken or not.
    #[error("{0}")]
    InDoubt(String),
    /// No server was asked: this recipient's address cannot be written to over this connection.
    #[error("{0}")]
    Unwritable(String),
    /// The server has ended the session before the mail was named, or refuses us and not the mail (the sender
    /// refused, log-in wanted): others would fare no better.
    #[error("{0}")]
    Down(String),
}
