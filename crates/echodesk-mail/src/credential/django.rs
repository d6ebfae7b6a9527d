//! Rows that EchoDesk wrote: `django.core.signing.Signer().sign(password)`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use echodesk_core::Secret;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::CredentialError;

/// Checks the signature and takes it off. The password itself may hold colons.
pub(super) fn open(stored: &Secret, key: &Secret) -> Result<Secret, CredentialError> {
    let (password, signature) = stored.expose().rsplit_once(':').ok_or(CredentialError::Malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| CredentialError::SignatureMismatch)?;

    // Django's salted_hmac: the key is hashed with the salt and the purpose first.
    let key = Sha256::new()
        .chain_update("django.core.signing.Signer")
        .chain_update("signer")
        .chain_update(key.expose())
        .finalize();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| CredentialError::SignatureMismatch)?;
    mac.update(password.as_bytes());
    // In constant time.
    mac.verify_slice(&signature).map_err(|_| CredentialError::SignatureMismatch)?;
    Ok(Secret::new(password))
}
