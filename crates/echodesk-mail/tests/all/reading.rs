//! Reads a message as the sync does and notes which attachments it keeps.

use echodesk_mail::model::{ColumnLimits, Flags, MessageMeta, RawMessage, Uid};
use echodesk_mail::parse::{NewAttachment, ReadContext, ReadMessage, read_message};
use jiff::Timestamp;

/// An attachment as it was handed over to be kept.
pub(crate) struct Kept {
    pub(crate) filename: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

pub(crate) fn raw(bytes: &[u8]) -> RawMessage {
    let received = "2026-11-22T09:30:00Z".parse().unwrap();
    let size = bytes.len() as u64;
    let meta = MessageMeta { uid: Uid(7), size, internal_date: Some(received), flags: Flags::NONE };
    RawMessage { meta, bytes: bytes.to_vec(), truncated: false }
}

pub(crate) fn read_raw(raw: &RawMessage, limits: &ColumnLimits) -> (ReadMessage, Vec<Kept>) {
    let context = ReadContext { mailbox_address: "support@acme.example", limits, now: now() };
    let mut kept = Vec::new();
    let mut keep = |attachment: &NewAttachment<'_>| {
        kept.push(Kept { filename: attachment.filename.to_owned(), bytes: attachment.bytes.to_vec() });
        Ok(format!("kept://{}", &attachment.digest.to_string()[..16]))
    };
    let message = read_message(raw, &context, &mut keep).unwrap();
    (message, kept)
}

pub(crate) fn read(bytes: &[u8]) -> (ReadMessage, Vec<Kept>) {
    read_raw(&raw(bytes), &ColumnLimits::default())
}
