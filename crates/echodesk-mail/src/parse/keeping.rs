//! Attachments, one at a time: unwrapped, hashed, kept, forgotten.

use sha2::{Digest, Sha256};

use super::mime::Leaf;
use super::reasons::Reasons;
use super::{Keep, NewAttachment, bounds, filename};
use crate::model::{AttachmentRef, ContentDigest};
use crate::ports::AttachmentError;

/// Keeps the leaves that are no body, as far as the bounds allow. Of a `truncated` message, a leaf
/// that no delimiter ends has lost its end: it is listed, but not kept.
pub(super) fn keep_all(
    leaves: &[Leaf<'_>],
    truncated: bool,
    keep: &mut Keep<'_>,
    reasons: &mut Reasons,
) -> Result<Vec<AttachmentRef>, AttachmentError> {
    if leaves.len() > bounds::ATTACHMENTS {
        reasons.add(format!("attachments cut from {} to {}", leaves.len(), bounds::ATTACHMENTS));
    }
    let mut kept = Vec::with_capacity(leaves.len().min(bounds::ATTACHMENTS));
    for leaf in leaves.iter().take(bounds::ATTACHMENTS) {
        let content_type = leaf.content_type.value.as_str();
        let filename = filename::display_name(leaf.name(), content_type);
        let (bytes, problem) = leaf.encoding.decode(leaf.bytes);
        if let Some(problem) = problem {
            reasons.add(format!("attachment {}: {problem}", kept.len() + 1));
        }
        let url = if truncated && (leaf.is_root || !leaf.complete) {
            reasons.add(format!("attachment {} is not here whole and was not kept", kept.len() + 1));
            String::new()
        } else {
            let digest = ContentDigest(Sha256::digest(&bytes).into());
            keep(&NewAttachment { filename: &filename, content_type, bytes: &bytes, digest })?
        };
        let size = bytes.len() as u64;
        kept.push(AttachmentRef { content_type: content_type.to_owned(), url, size, filename });
    }
    Ok(kept)
}
