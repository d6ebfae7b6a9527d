//! Addresses and names, as they may stand in an envelope and in a header.

use lettre::Address;

use crate::invisible::is_invisible;

/// The longest address that any server has to take (RFC 5321, section 4.5.3.1.3, without the brackets).
const LONGEST: usize = 254;
/// The longest name that is shown with an address, in characters.
const LONGEST_NAME: usize = 100;

/// Why no mail can go to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There is none.
    #[error("there is no address")]
    Blank,
    /// More than one.
    #[error("it holds more than one address")]
    Several,
    /// Not an address.
    #[error("it is not a valid mail address")]
    Invalid,
}

/// Reads an address. Its domain comes back in ASCII (RFC 5891), since every server knows that; what stands
/// before the `@` stays as it is, and wants SMTPUTF8 (RFC 6531) if it is not ASCII.
///
/// # Errors
/// It is blank, more than one, or not valid.
pub fn address(text: &str) -> Result<String, AddressError> {
    parse(text).map(|address| address.to_string())
}

pub(crate) fn parse(text: &str) -> Result<Address, AddressError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AddressError::Blank);
    }
    if text.matches('@').count() > 1 && text.contains([',', ';', ' ']) {
        return Err(AddressError::Several);
    }
    // The grammar knows quoted local parts, with spaces and brackets in them. They may not stand in a command
    // unescaped, and nobody has such an address.
    let strange = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\\' | ',' | ';');
    if text.len() > LONGEST || text.contains(strange) {
        return Err(AddressError::Invalid);
    }
    let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Invalid)?;
    let domain = if domain.starts_with('[') {
        domain.to_owned()
    } else {
        idna::domain_to_ascii(domain).map_err(|_| AddressError::Invalid)?
    };
    Address::new(local, domain).map_err(|_| AddressError::Invalid)
}

/// A person's name on one line, not longer than is shown anywhere.
#[must_use]
pub fn flat(name: &str) -> String {
    one_line(name).chars().take(LONGEST_NAME).collect::<String>().trim_end().to_owned()
}

/// A text for people as it may stand in a header: control characters, line ends and characters that turn the
/// direction of writing are gone, spaces are single, and nothing looks like an encoded word (RFC 2047), which would
/// be decoded into something else.
#[must_use]
pub fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if is_harmless(c) { c } else { ' ' }).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    words.join(" ").replace("=?", "= ?")
}

fn is_harmless(c: char) -> bool {
    // Line and paragraph separators, and what could make a name show as another.
    !c.is_control() && !is_invisible(c) && !matches!(c, '\u{2028}' | '\u{2029}')
}

/// An address for the log: `a***@acme.example`.
#[must_use]
pub fn masked(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}***@{domain}", local.chars().take(1).collect::<String>()),
        None => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_or_refused_with_the_reason() {
        let long = format!("{}@acme.example", "a".repeat(250));
        let long_local = format!("{}@acme.example", "a".repeat(65));
        for (text, expected) in [
            ("ana@acme.example", Ok("ana@acme.example")),
            ("  ana@acme.example\n", Ok("ana@acme.example")),
            ("ana+notices@acme.example", Ok("ana+notices@acme.example")),
            ("ana@ფოსტა.გე", Ok("ana@xn--lodzmeh.xn--node")),
            ("ana@MÜLLER.example", Ok("ana@xn--mller-kva.example")),
            ("ანა@acme.example", Ok("ანა@acme.example")),
            ("admin@localhost", Ok("admin@localhost")),
            ("ana@[192.0.2.1]", Ok("ana@[192.0.2.1]")),
            ("", Err(AddressError::Blank)),
            (" \t", Err(AddressError::Blank)),
            ("a@acme.example, b@acme.example", Err(AddressError::Several)),
            ("a@acme.example;b@acme.example", Err(AddressError::Several)),
            ("ana", Err(AddressError::Invalid)),
            ("@acme.example", Err(AddressError::Invalid)),
            ("ana@", Err(AddressError::Invalid)),
            ("ana@acme..example", Err(AddressError::Invalid)),
            ("ana@@acme.example", Err(AddressError::Invalid)),
            ("Ana <ana@acme.example>", Err(AddressError::Invalid)),
            ("\"a b\"@acme.example", Err(AddressError::Invalid)),
            ("ana@acme.example\r\nRCPT TO:<eve@evil.example>", Err(AddressError::Several)),
            ("ana\r\nDATA@acme.example", Err(AddressError::Invalid)),
            ("ana@acme\0.example", Err(AddressError::Invalid)),
            (&long, Err(AddressError::Invalid)),
            (&long_local, Err(AddressError::Invalid)),
        ] {
            assert_eq!(address(text), expected.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_one_harmless_line() {
        for (text, expected) in [
            ("Ana", "Ana"),
            ("  Ana \r\n Bcc: eve@evil.example", "Ana Bcc: eve@evil.example"),
            ("ანა\u{2028}ბერიძე", "ანა ბერიძე"),
            ("Ana\u{202E}elpmaxe", "Ana elpmaxe"),
            ("\0\u{7f}\u{85}", ""),
            ("=?utf-8?q?Bank?=", "= ?utf-8?q?Bank?="),
        ] {
            assert_eq!(flat(text), expected, "{text:?}");
        }
        assert_eq!(flat(&"ა".repeat(500)).chars().count(), 100);
    }

    #[test]
    fn a_masked_address_does_not_say_whose_it_is() {
        for (text, expected) in
            [("ana@acme.example", "a***@acme.example"), ("ანა@x", "ა***@x"), ("@x", "***@x"), ("odd", "***")]
        {
            assert_eq!(masked(text), expected);
        }
    }
}
