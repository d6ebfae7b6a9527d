//! Passwords of mailboxes, as they are stored.
//!
//! Two kinds of rows exist side by side:
//!
//! - EchoDesk's own, `plaintext:signature`, signed by Django but not encrypted;
//! - ours, `echodesk$1$nonce$ciphertext`, encrypted.

mod django;
mod sealed;

use echodesk_core::{SchemaName, Secret};

/// What stored passwords are opened with.
#[derive(Clone, Debug, Default)]
pub struct CredentialKeys {
    /// Django's `SECRET_KEY`: checks rows that EchoDesk signed.
    pub django: Option<Secret>,
    /// `ECHODESK_SECRET_KEY`: opens and makes rows of ours.
    pub own: Option<Secret>,
}

/// Why a stored password cannot be used, or a new one not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// A row that EchoDesk signed, and no key to check it with.
    #[error("the password was stored by EchoDesk, and SECRET_KEY is not set to check its signature")]
    NoDjangoKey,
    /// The signature does not belong to the password under this key.
    #[error("the signature of the stored password is wrong: SECRET_KEY was rotated or the row was altered")]
    SignatureMismatch,
    /// A row of ours, or a new one, and no key for it.
    #[error("ECHODESK_SECRET_KEY is not set, with which stored passwords are encrypted")]
    NoOwnKey,
    /// Ours, but made under another key or for another tenant, or altered.
    #[error(
        "the stored password cannot be decrypted: ECHODESK_SECRET_KEY has changed, \
         or the row was altered or copied from another tenant"
    )]
    CannotOpen,
    /// A key that could be guessed.
    #[error("ECHODESK_SECRET_KEY has {length} characters; it must have at least {}", sealed::KEY_CHARS)]
    KeyTooShort {
        /// How many it has.
        length: usize,
    },
    /// Neither of the two kinds.
    #[error("the stored password has no known format")]
    Malformed,
    /// The operating system gave no random bytes.
    #[error("no random bytes to encrypt the password with")]
    NoRandomness,
}

/// Opens a stored password, whichever kind it is. `schema` is the tenant whose row it is.
///
/// # Errors
/// See [`CredentialError`].
pub fn open(stored: &Secret, keys: &CredentialKeys, schema: &SchemaName) -> Result<Secret, CredentialError> {
    // Our rows hold no colon and signed ones always do, so a password that EchoDesk signed may begin
    // like a row of ours.
    if stored.expose().contains(':') {
        django::open(stored, keys.django.as_ref().ok_or(CredentialError::NoDjangoKey)?)
    } else if stored.expose().starts_with(sealed::MARK) {
        sealed::open(stored, keys.own.as_ref().ok_or(CredentialError::NoOwnKey)?, schema)
    } else {
        Err(CredentialError::Malformed)
    }
}

/// Encrypts a password for a row of the tenant `schema`, under `ECHODESK_SECRET_KEY`.
///
/// # Errors
/// [`CredentialError::KeyTooShort`]; [`CredentialError::NoRandomness`].
pub fn seal(password: &Secret, key: &Secret, schema: &SchemaName) -> Result<Secret, CredentialError> {
    sealed::seal(password, key, schema)
}

#[cfg(test)]
mod tests;
