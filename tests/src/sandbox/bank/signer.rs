//! Signatures over callbacks: SHA256withRSA, base64.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;

/// The bank's key, made once for each process: that takes a moment.
static OWN: LazyLock<PKey<Private>> = LazyLock::new(new_key);

/// One that is not the bank's.
static OTHER: LazyLock<PKey<Private>> = LazyLock::new(new_key);

fn new_key() -> PKey<Private> {
    Rsa::generate(2048).and_then(PKey::from_rsa).expect("OpenSSL can make a key")
}

/// Signs as the bank does.
pub(crate) fn sign(body: &[u8]) -> String {
    sign_with(&OWN, body)
}

/// Signs with a key that is not the bank's.
pub(crate) fn sign_with_other_key(body: &[u8]) -> String {
    sign_with(&OTHER, body)
}

/// The bank's public key, PEM.
pub(crate) fn public_key_pem() -> String {
    pem(&OWN)
}

/// The other public key, PEM.
pub(crate) fn other_public_key_pem() -> String {
    pem(&OTHER)
}

fn sign_with(key: &PKey<Private>, body: &[u8]) -> String {
    let signature = Signer::new(MessageDigest::sha256(), key).and_then(|mut signer| signer.sign_oneshot_to_vec(body));
    STANDARD.encode(signature.expect("an RSA key can sign"))
}

fn pem(key: &PKey<Private>) -> String {
    let pem = key.public_key_to_pem().expect("a public key can be written");
    String::from_utf8(pem).expect("PEM is ASCII")
}
