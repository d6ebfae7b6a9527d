//! From words to a mail: headers, encodings, and a Message-ID that a repeat has too.

use std::error::Error;
use std::time::SystemTime;

use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use sha2::{Digest as _, Sha256};

use crate::mail::Mail;
use crate::ports::Queued;
use crate::render::Rendered;
use crate::rules::{self, AddressError};

/// Whom mails are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    name: Option<String>,
    address: Address,
}

impl Sender {
    /// Reads `EchoDesk <noreply@echodesk.example>`, or an address alone.
    ///
    /// # Errors
    /// The address is missing or not valid.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => (rules::flat(name.trim().trim_matches('"')), address),
            None => (String::new(), text),
        };
        let address = rules::parse_address(address)?;
        Ok(Self { name: Some(name).filter(|name| !name.is_empty()), address })
    }

    /// The address alone.
    #[must_use]
    pub fn address(&self) -> &str {
        self.address.as_ref()
    }

    /// The name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// Why a notice cannot become a mail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The tenant's `admin_email` cannot be used.
    #[error("no mail can go to the tenant's admin_email: {0}")]
    Recipient(AddressError),
    /// The message cannot be built.
    #[error("the mail cannot be built")]
    Build(#[source] Box<dyn Error + Send + Sync>),
}

/// The mail of a notice: `multipart/alternative` with text and HTML, to the tenant's admin.
///
/// # Errors
/// The admin's address cannot be used.
pub fn message(notice: &Queued, rendered: &Rendered, from: &Sender, now: Timestamp) -> Result<Mail, MessageError> {
    let to = rules::parse_address(&notice.tenant.admin_email).map_err(MessageError::Recipient)?;
    let name = Some(rules::flat(&notice.tenant.admin_name)).filter(|name| !name.is_empty());
    let digest = digest(notice);
    let message_id = format!("<{}.{}.{digest}@{}>", token(&notice.code), notice.id, from.address.domain());
    let envelope = Envelope::new(Some(from.address.clone()), vec![to.clone()])
        .map_err(|error| MessageError::Build(error.into()))?;
    let body = MultiPart::alternative()
        .boundary(format!("=_{digest}"))
        .singlepart(part(ContentType::TEXT_PLAIN, &rendered.text))
        .singlepart(part(ContentType::TEXT_HTML, &rendered.html));
    let message = Message::builder()
        .envelope(envelope)
        .from(Mailbox::new(from.name.clone(), from.address.clone()))
        .to(Mailbox::new(name, to.clone()))
        .subject(rules::one_line(&rendered.subject))
        .date(SystemTime::from(now))
        .message_id(Some(message_id.clone()))
        // No out-of-office answers and no bounces of bounces (RFC 3834, section 5; the second is Exchange's).
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"))
        .raw_header(header("Content-Language", notice.tenant.language.code()))
        .multipart(body)
        .map_err(|error| MessageError::Build(error.into()))?;
    Ok(Mail { from: from.address.to_string(), to: to.to_string(), message_id, bytes: message.formatted() })
}

fn part(kind: ContentType, content: &str) -> SinglePart {
    // A bare CR is no line end and would not arrive as one.
    SinglePart::builder().header(kind).body(content.replace("\r\n", "\n").replace('\r', "\n"))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Names the row among all of all installations; nothing of it can be read from it.
fn digest(notice: &Queued) -> String {
    let mut hash = Sha256::new();
    let id = notice.id.to_string();
    for part in [notice.tenant.schema.as_str(), &notice.code, &notice.subject_key, &notice.period, &id] {
        // The length keeps parts apart.
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn token(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}

#[cfg(test)]
mod tests;
