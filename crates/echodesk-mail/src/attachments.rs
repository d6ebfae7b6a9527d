//! Places for attachments: a folder, an S3-compatible bucket, or none.

pub(crate) mod media_type;
