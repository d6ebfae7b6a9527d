//! Places for attachments: a folder, an S3-compatible bucket, or none.
//!
//! Objects are named by tenant and content, never by what a sender calls them:
//! `<schema>/<first 2 digits of SHA-256>/<64 digits>[.extension]`.

mod folder;
pub(crate) mod media_type;
mod null;
mod s3;
mod settings;

pub use folder::FolderStore;
pub use null::NullStore;
pub use s3::{S3Settings, S3Store};
pub use settings::{AttachmentSettings, AttachmentSettingsError};

use echodesk_core::SchemaName;

use crate::model::ContentDigest;

/// Where an object is within its store. Holds nothing that needs escaping in a path or a URL.
fn object_key(tenant: &SchemaName, digest: &ContentDigest, content_type: &str) -> String {
    let hex = digest.to_string();
    let ending = media_type::safe_extension(content_type).map(|extension| format!(".{extension}")).unwrap_or_default();
    format!("{tenant}/{}/{hex}{ending}", &hex[..2])
}

/// The public address of an object: `base`, with or without its final slash, and the key.
fn public_address(base: &str, key: &str) -> String {
    format!("{}/{key}", base.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_the_content_and_keep_only_safe_endings() {
        let tenant = "acme".parse().unwrap();
        let digest = ContentDigest([0xab; 32]);
        let hex = "ab".repeat(32);
        assert_eq!(object_key(&tenant, &digest, "application/pdf"), format!("acme/ab/{hex}.pdf"));
        assert_eq!(object_key(&tenant, &digest, "text/html"), format!("acme/ab/{hex}"));
        assert_eq!(public_address("https://cdn.example.com/m/", "acme/ab"), "https://cdn.example.com/m/acme/ab");
    }
}
