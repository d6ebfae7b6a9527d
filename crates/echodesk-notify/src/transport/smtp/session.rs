//! A connection with a mail server, over which mails go one after another.

use std::fmt;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use super::answer::{Stage, lost, meaning};
use super::limits::{SmtpLimits, within};
use crate::mail::Mail;
use crate::ports::{SendError, Session};

/// How long the server may take to say goodbye; nothing depends on it.
const GOODBYE: Duration = Duration::from_secs(5);

/// A connection with a mail server.
pub struct SmtpSession {
    connection: AsyncSmtpConnection,
    limits: SmtpLimits,
    /// Why nothing can go over it any more.
    dead: Option<String>,
}

impl fmt::Debug for SmtpSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSession").field("limits", &self.limits).field("dead", &self.dead).finish_non_exhaustive()
    }
}

impl SmtpSession {
    pub(super) fn new(connection: AsyncSmtpConnection, limits: SmtpLimits) -> Self {
        Self { connection, limits, dead: None }
    }

    async fn command(&mut self, stage: Stage, command: impl fmt::Display) -> Result<Response, SendError> {
        match within(self.limits.command, self.connection.command(command)).await {
            Ok(answer) => answer.map_err(|error| meaning(stage, &error)),
            Err(late) => Err(lost(stage, late)),
        }
    }

    async fn content(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        // The end of data brings the last line's end with it.
        let bytes = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        match within(self.limits.message, self.connection.message(bytes)).await {
            Ok(answer) => answer.map(drop).map_err(|error| meaning(Stage::Content, &error)),
            Err(late) => Err(lost(Stage::Content, late)),
        }
    }

    async fn transaction(&mut self, mail: &Mail) -> Result<(), SendError> {
        let from = address(&mail.from).map_err(SendError::Down)?;
        let to = address(&mail.to).map_err(SendError::Unwritable)?;
        let parameters = self.parameters(mail)?;
        self.command(Stage::Sender, MailFrom::new(Some(from), parameters)).await?;
        self.command(Stage::Recipient, Rcpt::new(to, Vec::new())).await?;
        let go_on = self.command(Stage::Data, Data).await?;
        if !go_on.has_code(354) {
            return Err(lost(Stage::Data, format!("{} to DATA makes no sense", go_on.code())));
        }
        self.content(&mail.bytes).await
    }

    fn parameters(&self, mail: &Mail) -> Result<Vec<MailParameter>, SendError> {
        let server = self.connection.server_info();
        let lacks = |what: &str| format!("the mail server cannot take it: it has no {what}");
        let mut parameters = Vec::new();
        if !mail.to.is_ascii() || !mail.from.is_ascii() {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                let why = lacks("SMTPUTF8, which addresses outside ASCII need");
                // Our own address is in every mail.
                return Err(if mail.from.is_ascii() { SendError::Unwritable(why) } else { SendError::Down(why) });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !mail.bytes.is_ascii() {
            if !server.supports_feature(Extension::EightBitMime) {
                return Err(SendError::Refused(lacks("8BITMIME")));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }
}

impl Session for SmtpSession {
    async fn send(&mut self, mail: &Mail) -> Result<(), SendError> {
        if let Some(why) = &self.dead {
            return Err(SendError::Down(why.clone()));
        }
        let sent = self.transaction(mail).await;
        match &sent {
            Ok(()) | Err(SendError::Unwritable(_)) => {}
            // What is left of this mail must not be taken for the beginning of the next one.
            Err(SendError::Refused(_) | SendError::NotNow(_)) => {
                if let Err(error) = self.command(Stage::Sender, Rset).await {
                    self.dead = Some(error.to_string());
                }
            }
            Err(SendError::Broken(why) | SendError::InDoubt(why) | SendError::Down(why)) => {
                self.dead = Some(why.clone())
            }
        }
        sent
    }

    async fn quit(mut self) {
        if self.dead.is_none() {
            let _ = within(GOODBYE, self.connection.quit()).await;
        }
    }
}

/// Addresses were looked at when the mail was made.
fn address(text: &str) -> Result<Address, String> {
    crate::rules::parse_address(text).map_err(|error| format!("{text:?}: {error}"))
}
