//! The public keys that callbacks are signed with.

use std::error::Error;
use std::fmt;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Rsa;
use url::Url;

/// The bank's key, as its documentation of callbacks prints it. Built in so that nothing has to be
/// configured; `BOG_PUBLIC_KEY_FILE` replaces it should the bank change it.
const PRODUCTION: &str = include_str!("production.pem");

/// The key of the bank's sandbox. Public client libraries cite it from the sandbox's documentation.
const SANDBOX: &str = include_str!("sandbox.pem");

/// A key that is shorter can be broken.
const SHORTEST_BITS: u32 = 2048;

const BEGIN: &str = "-----BEGIN ";

/// Keys, any of which may have signed a callback.
#[derive(Clone)]
pub struct CallbackKeys {
    pub(super) keys: Vec<PKey<Public>>,
}

/// Why keys cannot be used. Who receives callbacks must not start then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The API is neither the bank's nor its sandbox's, so nobody knows who signs its callbacks.
    #[error("no key is known for callbacks of {host}: BOG_PUBLIC_KEY_FILE must name a file with it (PEM)")]
    UnknownApi {
        /// The API's host.
        host: String,
    },
    /// There is no key in the text.
    #[error("no public key (PEM) was found")]
    None,
    /// Something else than a public key.
    #[error("PEM block {number} is a {label}, not a PUBLIC KEY")]
    NotPublicKey {
        /// Which, from 1.
        number: usize,
        /// What it calls itself.
        label: String,
    },
    /// The key cannot be read.
    #[error("PEM block {number} cannot be read")]
    Broken {
        /// Which, from 1.
        number: usize,
        /// What the library said; none if the block has no end.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// Another kind of key.
    #[error("PEM block {number} is no RSA key")]
    NotRsa {
        /// Which, from 1.
        number: usize,
    },
    /// The key is too short to be safe.
    #[error("PEM block {number} is an RSA key of {bits} bits, less than {SHORTEST_BITS}")]
    TooShort {
        /// Which, from 1.
        number: usize,
        /// How long it is.
        bits: u32,
    },
}

impl CallbackKeys {
    /// The keys that callbacks of an API are signed with: those of `own_keys_pem` alone, if there are
    /// any; else the bank's own by the API's host. Production and sandbox are never mixed: what is paid in
    /// a sandbox is no money.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn for_api(api_base_url: &Url, own_keys_pem: Option<&str>) -> Result<Self, KeysError> {
        match (own_keys_pem, api_base_url.host_str()) {
            (Some(pem), _) => Self::from_pem(pem),
            (None, Some("api.bog.ge")) => Self::from_pem(PRODUCTION),
            (None, Some("api-sandbox.bog.ge")) => Self::from_pem(SANDBOX),
            (None, host) => Err(KeysError::UnknownApi { host: host.unwrap_or_default().to_owned() }),
        }
    }

    /// Reads one or more RSA public keys in PEM, as `PUBLIC KEY` (SPKI) or `RSA PUBLIC KEY` (PKCS#1).
    /// Text between them is passed over.
    ///
    /// # Errors
    /// There is none, or one of them cannot be used.
    pub fn from_pem(text: &str) -> Result<Self, KeysError> {
        let begins = text.match_indices(BEGIN).map(|(at, _)| &text[at..]);
        let keys: Vec<_> = begins.zip(1..).map(|(block, number)| key(block, number)).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(KeysError::None) } else { Ok(Self { keys }) }
    }
}

/// The key of the PEM block that `text` begins with.
fn key(text: &str, number: usize) -> Result<PKey<Public>, KeysError> {
    let broken = |source: Option<ErrorStack>| KeysError::Broken { number, source: source.map(Into::into) };
    let (label, _) = text[BEGIN.len()..].split_once("-----").ok_or(broken(None))?;
    let end = format!("-----END {label}-----");
    let block = &text[..text.find(&end).ok_or(broken(None))? + end.len()];
    let key = match label {
        "PUBLIC KEY" => PKey::public_key_from_pem(block.as_bytes()),
        "RSA PUBLIC KEY" => Rsa::public_key_from_pem_pkcs1(block.as_bytes()).and_then(PKey::from_rsa),
        _ => return Err(KeysError::NotPublicKey { number, label: label.chars().take(40).collect() }),
    };
    let key = key.map_err(|source| broken(Some(source)))?;
    let rsa = key.rsa().map_err(|_| KeysError::NotRsa { number })?;
    let bits = rsa.n().num_bits().unsigned_abs();
    if bits < SHORTEST_BITS { Err(KeysError::TooShort { number, bits }) } else { Ok(key) }
}

impl fmt::Debug for CallbackKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallbackKeys({})", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::sha::sha256;

    use super::*;

    fn for_api(url: &str, own: Option<&str>) -> Result<CallbackKeys, KeysError> {
        CallbackKeys::for_api(&url.parse().unwrap(), own)
    }

    fn fingerprint(keys: &CallbackKeys) -> String {
        let [key] = &keys.keys[..] else { panic!("one key") };
        sha256(&key.public_key_to_der().unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn spki(bits: u32) -> String {
        String::from_utf8(Rsa::generate(bits).unwrap().public_key_to_pem().unwrap()).unwrap()
    }

    #[test]
    fn the_host_of_the_api_chooses_one_key() {
        let production = for_api("https://api.bog.ge/payments/v1", None).unwrap();
        assert_eq!(fingerprint(&production), "00ce06ee8db57a339d3ff889bf0d7648f542c66b45fa9954d75d3f5e500fa77d");
        let sandbox = for_api("https://api-sandbox.bog.ge/payments/v1", None).unwrap();
        assert_eq!(fingerprint(&sandbox), "d51af4cc5ffe450d607356452a7b31ada83a95f9d48ce6054dedddf8fef0c750");
        for other in ["https://api.bog.ge.example/", "https://api.sandbox.bog.ge/", "http://127.0.0.1:8080/"] {
            let error = for_api(other, None).unwrap_err();
            assert!(matches!(error, KeysError::UnknownApi { .. }), "{error:?}");
            assert!(error.to_string().contains("BOG_PUBLIC_KEY_FILE"));
        }
    }

    #[test]
    fn own_keys_replace_the_built_in_ones() {
        let pkcs1 = String::from_utf8(Rsa::generate(2048).unwrap().public_key_to_pem_pkcs1().unwrap()).unwrap();
        let keys = format!("the new one:\n{}\r\nthe old one:\n{pkcs1}trailing", spki(2048));
        for url in ["https://api.bog.ge/payments/v1", "http://127.0.0.1:8080/"] {
            assert_eq!(for_api(url, Some(&keys)).unwrap().keys.len(), 2);
        }
    }

    #[test]
    fn what_is_no_safe_rsa_public_key_is_refused() {
        let rsa = Rsa::generate(2048).unwrap();
        let private = String::from_utf8(rsa.private_key_to_pem().unwrap()).unwrap();
        let curve = EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()).unwrap();
        let curve = String::from_utf8(curve.public_key_to_pem().unwrap()).unwrap();
        let good = spki(2048);
        let error = |pem: &str| CallbackKeys::from_pem(pem).unwrap_err();
        assert!(matches!(error(""), KeysError::None));
        assert!(matches!(error("MIIBIjANBgkqhkiG"), KeysError::None));
        assert!(matches!(error(&private), KeysError::NotPublicKey { number: 1, .. }));
        assert!(matches!(error(&format!("{good}{curve}")), KeysError::NotRsa { number: 2 }));
        assert!(matches!(error(&spki(1024)), KeysError::TooShort { number: 1, bits: 1024 }));
        assert!(matches!(error(&good[..good.len() / 2]), KeysError::Broken { number: 1, source: None }));
        let damaged = good.replacen("MIIB", "MIIA", 1);
        assert!(matches!(error(&damaged), KeysError::Broken { number: 1, source: Some(_) }));
    }
}
