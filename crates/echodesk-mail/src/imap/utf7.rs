//! Modified UTF-7, in which IMAP writes folder names (RFC 3501 §5.1.3).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        // Servers are known to leave rubbish in the bits that do not matter.
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a name; none if it is no modified UTF-7, or holds control characters.
#[must_use]
pub fn decode(wire: &[u8]) -> Option<String> {
    let mut name = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'&' {
            if !matches!(byte, b' '..=b'~') {
                return None;
            }
            name.push(char::from(*byte));
            continue;
        }
        let end = rest.iter().position(|byte| *byte == b'-')?;
        let (encoded, after) = rest.split_at(end);
        rest = &after[1..];
        if encoded.is_empty() {
            name.push('&');
            continue;
        }
        let bytes = BASE64.decode(encoded).ok()?;
        if bytes.len() % 2 != 0 {
            return None;
        }
        let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        for c in char::decode_utf16(units) {
            name.push(c.ok().filter(|c| !c.is_control())?);
        }
    }
    Some(name)
}

/// Writes a name as a server is sent it.
#[must_use]
pub fn encode(name: &str) -> Vec<u8> {
    let mut wire = Vec::with_capacity(name.len());
    let mut shifted = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            unshift(&mut wire, &mut shifted);
            wire.push(c as u8);
            if c == '&' {
                wire.push(b'-');
            }
        } else {
            shifted.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    unshift(&mut wire, &mut shifted);
    wire
}

fn unshift(wire: &mut Vec<u8>, shifted: &mut Vec<u8>) {
    if !shifted.is_empty() {
        wire.push(b'&');
        wire.extend_from_slice(BASE64.encode(&shifted).as_bytes());
        wire.push(b'-');
        shifted.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: [(&str, &str); 6] = [
        ("INBOX", "INBOX"),
        ("Lost & Found", "Lost &- Found"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
        ("გაგზავნილი", "&ENIQ0BDSENYQ0BDVENwQ2BDaENg-"),
        ("📧 mail", "&2D3c5w- mail"),
    ];

    #[test]
    fn known_names_go_there_and_back() {
        for (name, wire) in TABLE {
            assert_eq!(encode(name), wire.as_bytes(), "{name}");
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(name), "{wire}");
        }
    }

    #[test]
    fn what_is_no_modified_utf7_is_not_guessed_at() {
        let wires: [&[u8]; 8] = [b"R&D", b"&", b"&AA-", b"&2D3-", b"&!!-", b"\xd0\xb9", b"&AAA-", b"a\r\nb"];
        for wire in wires {
            assert_eq!(decode(wire), None, "{}", String::from_utf8_lossy(wire));
        }
    }

    proptest! {
        #[test]
        fn every_printable_name_goes_there_and_back(name in "[^\\p{Cc}]{0,20}") {
            let wire = encode(&name);
            prop_assert!(wire.is_ascii());
            prop_assert_eq!(decode(&wire), Some(name));
        }

        #[test]
        fn no_bytes_make_it_panic(wire in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&wire);
        }
    }
}
