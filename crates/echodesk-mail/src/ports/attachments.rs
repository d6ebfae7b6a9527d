//! Where attachments go.

use echodesk_core::SchemaName;

use crate::model::ContentDigest;

/// A store for attachments, named by their content: storing the same bytes twice is one object, so
/// a run that is repeated after a crash repeats nothing.
pub trait AttachmentStore: Send + Sync {
    /// Keeps `bytes` for `tenant` and says at which URL they can be had. `digest` is the SHA-256 of
    /// `bytes`; `content_type` is `type/subtype`.
    ///
    /// # Errors
    /// The store is away, full or refuses.
    fn put(
        &self,
        tenant: &SchemaName,
        digest: &ContentDigest,
        content_type: &str,
        bytes: &[u8],
    ) -> Result<String, AttachmentError>;

    /// Returns once everything that was put before is on stable storage; called before the rows that
    /// point to it are committed.
    ///
    /// # Errors
    /// The store could not promise that.
    fn flush(&self) -> Result<(), AttachmentError>;
}

/// An attachment could not be kept. Our trouble, never the mailbox's.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep attachments in {place}: {problem}")]
pub struct AttachmentError {
    /// The folder or bucket.
    pub place: String,
    /// What went wrong, without credentials.
    pub problem: String,
}
