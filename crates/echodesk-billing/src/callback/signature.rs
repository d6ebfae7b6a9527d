//! Whether the bank has signed a callback.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use openssl::hash::MessageDigest;
use openssl::sign::Verifier;
use percent_encoding::percent_decode_str;

use super::CallbackKeys;

/// Longer than a signature with any key, percent-encoded throughout.
const LONGEST_HEADER: usize = 16 * 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl CallbackKeys {
    /// Whether `header`, the header `Callback-Signature`, is a signature of `raw` by one of the keys: base64
    /// of RSASSA-PKCS1-v1_5 with SHA-256 over the body, byte for byte as it came.
    #[must_use]
    pub fn verify(&self, raw: &[u8], header: &str) -> bool {
        let Some(signature) = decode(header) else { return false };
        self.keys.iter().any(|key| {
            // An error is a signature that cannot be one, of another length for example.
            Verifier::new(MessageDigest::sha256(), key)
                .and_then(|mut verifier| verifier.verify_oneshot(&signature, raw))
                .unwrap_or(false)
        })
    }
}

/// The signature itself; proxies are known to percent-encode the header and to fold it.
fn decode(header: &str) -> Option<Vec<u8>> {
    if header.len() > LONGEST_HEADER {
        return None;
    }
    let header: Cow<'_, [u8]> = percent_decode_str(header).into();
    let text: Vec<u8> = header.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(text).ok().filter(|signature| !signature.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base64_is_read_however_a_proxy_has_dressed_it() {
        let bytes = vec![0xfb, 0xff, 0xfe, 0x00];
        for header in ["+//+AA==", "+//+AA", "%2B%2F%2F%2BAA%3D%3D", "%2b//+AA==", " +//\r\n +AA==\t", "+%0A//+AA=="] {
            assert_eq!(decode(header).as_ref(), Some(&bytes), "{header:?}");
        }
        for header in ["", " ", "%", "-__-AA==", "ლ", "+//+AA==;", &"A".repeat(LONGEST_HEADER + 4)] {
            assert_eq!(decode(header), None, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_passes_or_panics(header in ".{0,400}", raw in proptest::collection::vec(any::<u8>(), 0..50)) {
            let keys = CallbackKeys::for_api(&"https://api.bog.ge".parse().unwrap(), None).unwrap();
            prop_assert!(!keys.verify(&raw, &header));
        }
    }
}
