//! A store that keeps nothing.

use echodesk_core::SchemaName;

use crate::model::ContentDigest;
use crate::ports::{AttachmentError, AttachmentStore};

/// Keeps nothing and gives every attachment an empty URL: for dry runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullStore;

impl AttachmentStore for NullStore {
    fn put(&self, _: &SchemaName, _: &ContentDigest, _: &str, _: &[u8]) -> Result<String, AttachmentError> {
        Ok(String::new())
    }

    fn flush(&self) -> Result<(), AttachmentError> {
        Ok(())
    }
}
