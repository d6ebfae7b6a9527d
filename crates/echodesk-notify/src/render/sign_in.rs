//! Where a tenant signs in: the one address that a mail of ours links to.

use url::Url;

use super::html;

/// The attribute that holds it is a line of its own, and a line has at most 998 bytes (RFC 5322, section 2.1.1).
const LONGEST: usize = 900;

/// The address in its normal form; none if it is not one of a web page, or disguises where it leads.
pub(super) fn checked(address: &str) -> Option<String> {
    let url = Url::parse(address.trim()).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
    let is_disguised = !url.username().is_empty() || url.password().is_some();
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let text = if bare { url.as_str().trim_end_matches('/') } else { url.as_str() };
    (is_web && !is_disguised && html::escape(text).len() <= LONGEST).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_web_pages_are_linked_to() {
        let table = [
            ("https://acme.echodesk.example", Some("https://acme.echodesk.example")),
            (" http://acme.example:8080/login?next=a&b ", Some("http://acme.example:8080/login?next=a&b")),
            ("HTTPS://Acme.Example/", Some("https://acme.example")),
            ("https://acme.example/\r\n\"><script>", Some("https://acme.example/%22%3E%3Cscript%3E")),
            ("https://bank.example@evil.example/", None),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("ftp://acme.example", None),
            ("acme.example", None),
            ("https://", None),
            ("", None),
        ];
        for (address, expected) in table {
            assert_eq!(checked(address).as_deref(), expected, "{address:?}");
        }
        assert_eq!(checked(&format!("https://acme.example/{}", "x".repeat(LONGEST))), None);
    }
}
