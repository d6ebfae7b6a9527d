//! stub
use crate::{model::*, ports::AttachmentError, rules::identity::Fingerprint};
use jiff::Timestamp;
pub struct ReadContext<'a> {
    pub mailbox_address: &'a str,
    pub limits: &'a ColumnLimits,
    pub now: Timestamp,
}
pub struct NewAttachment<'a> {
    pub filename: &'a str,
    pub content_type: &'a str,
    pub bytes: &'a [u8],
    pub digest: ContentDigest,
}
pub type Keep<'a> = dyn FnMut(&NewAttachment<'_>) -> Result<String, AttachmentError> + 'a;
pub struct ReadMessage {
    pub message: Box<MailMessage>,
    pub fingerprint: Fingerprint,
    pub reduced: Option<String>,
}
pub fn read_message(
    _raw: &RawMessage,
    _context: &ReadContext<'_>,
    _keep: &mut Keep<'_>,
) -> Result<ReadMessage, AttachmentError> {
    todo!()
}
