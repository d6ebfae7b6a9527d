//! Addresses in words that others have chosen.

use super::masked;

/// A text, usually a server's answer, in which everything that is shaped like an address is masked: servers repeat
/// the recipient, aliases that they have rewritten it to, and the user that has logged in.
#[must_use]
pub fn veiled(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default());
        let local = local_part(before);
        let domain = after.split(|c: char| !is_of_domain(c)).next().unwrap_or_default();
        told.push_str(before.strip_suffix(local).unwrap_or(before));
        if local.is_empty() || domain.is_empty() {
            told.push_str(local);
            told.push('@');
            told.push_str(domain);
        } else {
            told.push_str(&masked(&format!("{}@{domain}", local.trim_start_matches('"'))));
        }
        rest = after.strip_prefix(domain).unwrap_or(after);
    }
    told.push_str(rest);
    told
}

/// What stands before an `@` and belongs to it: a word, or words in quotation marks.
fn local_part(before: &str) -> &str {
    let quoted = before.strip_suffix('"').and_then(|inner| inner.rfind('"'));
    let begin = quoted.unwrap_or_else(|| {
        before
            .rfind(|c: char| !is_of_local_part(c))
            .map_or(0, |end| end + before.get(end..).and_then(|tail| tail.chars().next()).map_or(1, char::len_utf8))
    });
    before.get(begin..).unwrap_or_default()
}

/// RFC 5321, section 4.1.2, and RFC 6531 for what is not ASCII.
fn is_of_local_part(c: char) -> bool {
    !c.is_whitespace()
        && !c.is_control()
        && !matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '"' | '@' | '\\')
}

fn is_of_domain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_shaped_like_an_address_is_masked() {
        for (text, expected) in [
            ("550 5.1.1 <ana@acme.example>: unknown", "550 5.1.1 <a***@acme.example>: unknown"),
            ("550 ana.b+c@acme.example is now nino@other.example.", "550 a***@acme.example is now n***@other.example."),
            ("454 user jobs@acme.example, no", "454 user j***@acme.example, no"),
            ("mailto:ანა@ფოსტა.გე", "mailto:ა***@ფოსტა.გე"),
            ("„ana@acme.example“", "„***@acme.example“"),
            ("\"ana b\"@acme.example", "a***@acme.example"),
            ("ana@[192.0.2.1]", "a***@[192.0.2.1]"),
            ("a@b@c", "a***@b@c"),
            ("at 12:00 @ the office", "at 12:00 @ the office"),
            ("@", "@"),
            ("550 no such user", "550 no such user"),
            ("", ""),
        ] {
            assert_eq!(veiled(text), expected, "{text:?}");
        }
    }
}
