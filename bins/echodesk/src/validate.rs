//! What may be written into EchoDesk's columns, checked before anything is.

use echodesk_billing::{Currency, Money, MoneyError};
use rust_decimal::Decimal;

/// Why a value cannot be stored. clap names the flag and shows the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    #[error("cannot be empty")]
    Empty,
    #[error("is longer than the {0} characters that its column holds")]
    TooLong(usize),
    #[error("has a control character in it")]
    Control,
    #[error("is not an e-mail address: expected name@domain")]
    Address,
    #[error("is not a host name: only letters, digits, dots and hyphens, without https:// or a port")]
    Host,
    #[error("is not an amount in lari such as 20 or 20.50")]
    Amount,
    #[error("{0}")]
    Money(#[from] MoneyError),
}

/// A text of 1 to `N` characters (the length of its `varchar` column), trimmed.
pub(crate) fn text<const N: usize>(value: &str) -> Result<String, ValueError> {
    let value = value.trim();
    if value.is_empty() {
        return Err(ValueError::Empty);
    }
    if value.chars().count() > N {
        return Err(ValueError::TooLong(N));
    }
    if value.chars().any(char::is_control) {
        return Err(ValueError::Control);
    }
    Ok(value.to_owned())
}

/// An address such as a mail server would accept at the other end: one `@` with something on both
/// sides and no space. More (RFC 5321, section 4.1.2) would refuse addresses that work.
pub(crate) fn address(value: &str) -> Result<String, ValueError> {
    let value = text::<254>(value)?;
    let (local, domain) = value.rsplit_once('@').ok_or(ValueError::Address)?;
    let bad = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"');
    let dotted = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.');
    if !dotted(local) || !dotted(domain) || local.contains('@') || value.chars().any(bad) {
        return Err(ValueError::Address);
    }
    Ok(value)
}

/// An amount of lari and tetri.
pub(crate) fn lari(value: &str) -> Result<Money, ValueError> {
    let value = value.trim();
    // Exponents and underscores would be understood as well, and nobody writes an amount with them.
    if !value.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-')) {
        return Err(ValueError::Amount);
    }
    let amount: Decimal = value.parse().map_err(|_| ValueError::Amount)?;
    Ok(Money::new(amount, Currency::Gel)?)
}

/// A host name (RFC 1123, section 2.1) or an IP address.
pub(crate) fn host(value: &str) -> Result<String, ValueError> {
    let value = text::<255>(value)?;
    if value.parse::<std::net::IpAddr>().is_ok() {
        return Ok(value);
    }
    let label = |label: &str| {
        let fits = !label.is_empty() && label.len() <= 63;
        let clean = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        fits && clean && !label.starts_with('-') && !label.ends_with('-')
    };
    let absolute = value.strip_suffix('.').unwrap_or(&value);
    if absolute.split('.').all(label) { Ok(value) } else { Err(ValueError::Host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_recognised() {
        for good in ["info@acme.ge", "a.b+c@mail.acme.co", "root@localhost", "ინფო@acme.ge", " x@y.z "] {
            assert_eq!(address(good), Ok(good.trim().to_owned()), "{good:?}");
        }
        for bad in ["acme.ge", "@acme.ge", "info@", "a@b@c", "a b@c", "Info <info@acme.ge>", "a@.b", "a@b."] {
            assert_eq!(address(bad), Err(ValueError::Address), "{bad:?}");
        }
        assert_eq!(address(""), Err(ValueError::Empty));
        assert_eq!(address(&format!("{}@b", "a".repeat(254))), Err(ValueError::TooLong(254)));
    }

    #[test]
    fn hosts_are_names_or_addresses_and_nothing_around_them() {
        for good in ["imap.acme.ge", "localhost", "192.0.2.7", "::1", "xn--dna.ge", "mail_1.acme.ge", "imap.acme.ge."] {
            assert_eq!(host(good), Ok(good.to_owned()), "{good:?}");
        }
        for bad in ["https://imap.acme.ge", "imap.acme.ge:993", "imap..acme", "-a.b", "a b", ".", "თბილისი.ge"]
        {
            assert_eq!(host(bad), Err(ValueError::Host), "{bad:?}");
        }
    }

    #[test]
    fn texts_are_as_long_as_their_columns_allow() {
        assert_eq!(text::<3>(" abc "), Ok("abc".to_owned()));
        assert_eq!(text::<3>("აბგ"), Ok("აბგ".to_owned()), "characters count, not bytes");
        assert_eq!(text::<3>("abcd"), Err(ValueError::TooLong(3)));
        assert_eq!(text::<9>("a\nb"), Err(ValueError::Control));
        assert_eq!(text::<9>("   "), Err(ValueError::Empty));
    }

    #[test]
    fn amounts_are_lari_and_tetri() {
        assert_eq!(lari("20.5").unwrap().to_string(), "20.50 GEL");
        assert!(lari("0").unwrap().is_zero());
        for (bad, words) in [("", "not an amount"), ("20 GEL", "not an amount"), ("1e3", "not an amount")] {
            assert!(lari(bad).unwrap_err().to_string().contains(words), "{bad:?}");
        }
        for (bad, words) in [("-1", "negative"), ("1.005", "two decimals"), ("100000000", "99999999.99")] {
            assert!(lari(bad).unwrap_err().to_string().contains(words), "{bad:?}");
        }
    }
}
