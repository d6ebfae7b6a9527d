//! How much of one message is kept. A message that goes beyond is stored reduced, with the reason.

/// Attachments kept; a mail with more is a bomb or an archive.
pub(super) const ATTACHMENTS: usize = 100;

/// Leaves of the MIME tree that are looked at.
pub(super) const PARTS: usize = 1_000;

/// Multiparts within multiparts. Real mail stays below six; each level costs another look at the bytes.
pub(super) const DEPTH: usize = 20;

/// Characters of `body_text` and of `body_html`, each.
pub(super) const BODY_CHARS: usize = 2 << 20;

/// Characters of References.
pub(super) const REFERENCES: usize = 64 << 10;

/// Recipients over To, Cc and Bcc together.
pub(super) const RECIPIENTS: usize = 1_000;

/// Bytes of one header field that are decoded.
pub(super) const FIELD: usize = 1 << 20;

/// Header fields of interest in one header section.
pub(super) const FIELDS: usize = 1_000;

/// Parameters of one Content-Type or Content-Disposition.
pub(super) const PARAMETERS: usize = 200;

/// Characters of an attachment's display name.
pub(super) const FILENAME_CHARS: usize = 255;
