//! Passwords of mailboxes, as they are stored.

use echodesk_core::Secret;

/// What stored passwords are opened with.
#[derive(Clone, Debug, Default)]
pub struct CredentialKeys {
    /// Django's `SECRET_KEY`: checks rows that EchoDesk signed.
    pub django: Option<Secret>,
    /// `ECHODESK_SECRET_KEY`: opens and makes rows of ours.
    pub own: Option<Secret>,
}
use echodesk_core::SchemaName;
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("x")]
    X,
}
pub fn open(_: &Secret, _: &CredentialKeys, _: &SchemaName) -> Result<Secret, CredentialError> {
    todo!()
}
