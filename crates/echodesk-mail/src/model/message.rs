//! Messages: as fetched, and as stored.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::{Flags, Uid};

/// What a server says of a message before its body is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageMeta {
    /// Its UID.
    pub uid: Uid,
    /// RFC822.SIZE in bytes. Servers are known to be wrong about it.
    pub size: u64,
    /// INTERNALDATE: when the server received it.
    pub internal_date: Option<Timestamp>,
    /// Its flags now.
    pub flags: Flags,
}

/// A message's bytes, or as many of them as were asked for.
#[derive(Clone, Debug)]
pub struct RawMessage {
    /// What the server says of it.
    pub meta: MessageMeta,
    /// The bytes (RFC 5322).
    pub bytes: Vec<u8>,
    /// Whether there is more on the server: the message is over the size limit.
    pub truncated: bool,
}

/// SHA-256 over what makes a message itself: author, recipients, subject, date, Message-ID and body,
/// but not the trace that each server on the way adds. Two copies of one mail share it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest(pub [u8; 32]);

impl ContentDigest {
    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A mail address with its display name: an element of `to_emails`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Address {
    /// `local@domain`.
    pub email: String,
    /// The display name, decoded; empty if there is none.
    pub name: String,
}

/// A stored attachment: an element of `attachments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttachmentRef {
    /// The name the sender gave it: shown to people, never used as a path.
    pub filename: String,
    /// Its media type, `type/subtype` in lower case.
    pub content_type: String,
    /// Where it can be fetched; empty if it was not kept.
    pub url: String,
    /// Decoded size in bytes.
    pub size: u64,
}

/// A message ready for `social_integrations_emailmessage`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MailMessage {
    /// Message-ID with its angle brackets, as EchoDesk keeps it; made up from the content if the
    /// message has none.
    pub message_id: String,
    /// md5 of the thread's root Message-ID.
    pub thread_id: String,
    /// In-Reply-To as written.
    pub in_reply_to: String,
    /// References as written.
    pub references: String,
    /// First author.
    pub from: Address,
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// Bcc, present only in copies of the sender.
    pub bcc: Vec<Address>,
    /// First Reply-To address.
    pub reply_to: String,
    /// Subject, decoded.
    pub subject: String,
    /// First text/plain body.
    pub body_text: String,
    /// First text/html body.
    pub body_html: String,
    /// What else it carries.
    pub attachments: Vec<AttachmentRef>,
    /// Date header; where it is missing or wrong, when the server received it.
    pub timestamp: Timestamp,
    /// Whether it was sent from the mailbox's own address.
    pub is_from_business: bool,
}

/// What became of one UID. Every UID that was read has exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A row of its own.
    Stored,
    /// A row of its own, with less than the message held; the text says what and why.
    Reduced(String),
    /// The same message was there already: one row, one more place.
    Duplicate,
    /// Not stored; the text says why.
    Failed(String),
}

impl Fate {
    /// The word in `echodesk_mail_item.fate` and in reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Reduced(_) => "reduced",
            Self::Duplicate => "duplicate",
            Self::Failed(_) => "failed",
        }
    }

    /// Why, for the fates that need a reason.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Reduced(reason) | Self::Failed(reason) => Some(reason),
            Self::Stored | Self::Duplicate => None,
        }
    }
}

/// How many characters each column of a tenant's mail tables takes. Installations differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnLimits {
    /// `message_id`.
    pub message_id: usize,
    /// `thread_id`.
    pub thread_id: usize,
    /// `in_reply_to`.
    pub in_reply_to: usize,
    /// `from_email`.
    pub from_email: usize,
    /// `from_name`.
    pub from_name: usize,
    /// `reply_to`.
    pub reply_to: usize,
    /// `subject`.
    pub subject: usize,
    /// `folder`.
    pub folder: usize,
    /// `uid`.
    pub uid: usize,
    /// `last_sync_error` of the connection; EchoDesk's is unlimited.
    pub sync_error: usize,
}

impl Default for ColumnLimits {
    /// EchoDesk's own lengths.
    fn default() -> Self {
        Self {
            message_id: 500,
            thread_id: 500,
            in_reply_to: 500,
            from_email: 254,
            from_name: 200,
            reply_to: 254,
            subject: 1000,
            folder: 100,
            uid: 50,
            sync_error: usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_and_nothing_else_does() {
        let digest = ContentDigest(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        assert_eq!(ContentDigest::from_hex(&digest.to_string()), Some(digest));
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32), &"+1".repeat(32)] {
            assert_eq!(ContentDigest::from_hex(text), None, "{text}");
        }
    }
}
