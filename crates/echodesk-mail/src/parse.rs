//! A message's bytes into a row.
//!
//! Works for any bytes: what cannot be understood, or is more than is kept of one message, makes the
//! row *reduced*, with the reason in words. Where there is a choice, rows look as EchoDesk's own sync
//! (Python's `email` package) would have written them.

mod address;
mod bounds;
mod charset;
mod draft;
mod encoded_word;
mod filename;
mod fingerprint;
mod georgian;
mod header;
mod keeping;
mod library;
mod mime;
mod parameters;
mod reasons;
mod thread;
mod timestamp;
mod transfer;

use jiff::Timestamp;

use crate::model::{ColumnLimits, ContentDigest, MailMessage, RawMessage};
use crate::ports::AttachmentError;
use crate::rules::fit;
use crate::rules::identity::Fingerprint;

/// What a message is read against.
#[derive(Clone, Copy, Debug)]
pub struct ReadContext<'a> {
    /// The mailbox's own address: mail from it is the business's.
    pub mailbox_address: &'a str,
    /// The lengths of the tenant's columns.
    pub limits: &'a ColumnLimits,
    /// The time of the run.
    pub now: Timestamp,
}

/// An attachment about to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewAttachment<'a> {
    /// The name to show.
    pub filename: &'a str,
    /// `type/subtype` in lower case.
    pub content_type: &'a str,
    /// The attachment itself, unwrapped.
    pub bytes: &'a [u8],
    /// SHA-256 of `bytes`.
    pub digest: ContentDigest,
}

/// Keeps an attachment and says at which URL it can be had.
pub type Keep<'a> = dyn FnMut(&NewAttachment<'_>) -> Result<String, AttachmentError> + 'a;

/// A message that was read.
#[derive(Clone, Debug)]
pub struct ReadMessage {
    /// The row, within the column limits.
    pub message: Box<MailMessage>,
    /// What it is compared by.
    pub fingerprint: Fingerprint,
    /// Why it holds less than the message did; none if it holds everything.
    pub reduced: Option<String>,
}

/// Reads a message and keeps its attachments through `keep`, in their order.
///
/// # Errors
/// Only what `keep` returns. No bytes make it fail or panic.
pub fn read_message(
    raw: &RawMessage,
    context: &ReadContext<'_>,
    keep: &mut Keep<'_>,
) -> Result<ReadMessage, AttachmentError> {
    let draft = library::guarded(|| draft::understand(raw, context)).unwrap_or_else(|| draft::raw_text(raw, context));
    let draft::Draft { mut message, attachments, digest, mut reasons } = draft;
    if raw.truncated {
        let (size, here) = (raw.meta.size, raw.bytes.len());
        reasons.add(format!("message of {size} bytes is over the size limit: only its first {here} bytes were read"));
    }
    message.attachments = keeping::keep_all(&attachments, raw.truncated, keep, &mut reasons)?;
    if fit::remove_nuls(&mut message) {
        reasons.add("NUL characters removed");
    }
    reasons.extend(fit::fit(&mut message, context.limits));
    let fingerprint = Fingerprint {
        digest,
        from_email: message.from.email.clone(),
        subject: message.subject.clone(),
        timestamp: message.timestamp,
    };
    Ok(ReadMessage { message: Box::new(message), fingerprint, reduced: reasons.joined() })
}
