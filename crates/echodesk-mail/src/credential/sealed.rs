//! Rows of ours: `echodesk$1$<nonce>$<ciphertext and tag>`, both base64url without padding.
//!
//! AES-256-GCM. The key is derived from `ECHODESK_SECRET_KEY`; the nonce is random (96 bits: far
//! fewer passwords will ever be stored than would make a repeat likely); the tenant's schema is
//! authenticated along, so a row that is copied to another tenant does not open there.

use aes_gcm::aead::rand_core::RngCore as _;
use aes_gcm::aead::{Aead as _, OsRng, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use echodesk_core::{SchemaName, Secret};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::CredentialError;

/// How every row of ours begins, whatever its version.
pub(super) const MARK: &str = "echodesk$";

/// Mark and version.
const PREFIX: &str = "echodesk$1$";

/// Keeps this use of the key apart from any other that may come.
const CONTEXT: &[u8] = b"echodesk mailbox password, version 1";

/// A key must be at least this long.
pub(super) const KEY_CHARS: usize = 32;

/// Bytes of a nonce.
const NONCE: usize = 12;

pub(super) fn seal(password: &Secret, key: &Secret, schema: &SchemaName) -> Result<Secret, CredentialError> {
    let cipher = cipher(key)?;
    let mut nonce = [0; NONCE];
    OsRng.try_fill_bytes(&mut nonce).map_err(|_| CredentialError::NoRandomness)?;
    let payload = Payload { msg: password.expose().as_bytes(), aad: schema.as_str().as_bytes() };
    // Encrypting fails only beyond 64 GB.
    let ciphertext = cipher.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| CredentialError::Malformed)?;
    let (nonce, ciphertext) = (URL_SAFE_NO_PAD.encode(nonce), URL_SAFE_NO_PAD.encode(ciphertext));
    Ok(Secret::new(format!("{PREFIX}{nonce}${ciphertext}")))
}

pub(super) fn open(stored: &Secret, key: &Secret, schema: &SchemaName) -> Result<Secret, CredentialError> {
    let cipher = cipher(key)?;
    let parts = stored.expose().strip_prefix(PREFIX).and_then(|rest| rest.split_once('$'));
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| CredentialError::Malformed);
    let (nonce, ciphertext) = parts.ok_or(CredentialError::Malformed)?;
    let (nonce, ciphertext) = (decode(nonce)?, decode(ciphertext)?);
    if nonce.len() != NONCE {
        return Err(CredentialError::Malformed);
    }
    let payload = Payload { msg: &ciphertext, aad: schema.as_str().as_bytes() };
    let password = cipher.decrypt(Nonce::from_slice(&nonce), payload).map_err(|_| CredentialError::CannotOpen)?;
    String::from_utf8(password).map(Secret::new).map_err(|_| CredentialError::CannotOpen)
}

fn cipher(key: &Secret) -> Result<Aes256Gcm, CredentialError> {
    let length = key.expose().chars().count();
    if length < KEY_CHARS {
        return Err(CredentialError::KeyTooShort { length });
    }
    let mut mac =
        <Hmac<Sha256> as Mac>::new_from_slice(key.expose().as_bytes()).map_err(|_| CredentialError::CannotOpen)?;
    mac.update(CONTEXT);
    Ok(Aes256Gcm::new(&mac.finalize().into_bytes()))
}
