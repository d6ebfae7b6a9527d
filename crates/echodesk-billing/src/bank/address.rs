//! Addresses of the API.

use url::Url;

/// The address of `segments` under the base of the API, each of them one segment whatever it holds. None
/// if that cannot be: such a name would be another address.
pub(super) fn under(base: &Url, segments: &[&str]) -> Option<Url> {
    let may_be_segment = |segment: &&str| {
        !matches!(*segment, "" | "." | "..") && !segment.chars().any(|c| c.is_control() || c.is_whitespace())
    };
    if !segments.iter().all(may_be_segment) {
        return None;
    }
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
    Some(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(base: &str, name: &str) -> Option<String> {
        under(&base.parse().unwrap(), &["receipt", name]).map(String::from)
    }

    #[test]
    fn a_name_is_one_segment() {
        let base = "https://bank.example/payments/v1";
        for (name, segment) in [
            ("11111111-aaaa", "11111111-aaaa"),
            ("a/b", "a%2Fb"),
            ("a\\b", "a%5Cb"),
            ("../x", "..%2Fx"),
            ("a?b#c", "a%3Fb%23c"),
            ("a%2fb", "a%252fb"),
            ("%2e%2e", "%252e%252e"),
            ("ლ", "%E1%83%9A"),
        ] {
            assert_eq!(address(base, name).unwrap(), format!("{base}/receipt/{segment}"), "{name}");
        }
        assert_eq!(address("https://bank.example/v1/", "a").unwrap(), "https://bank.example/v1/receipt/a");
        assert_eq!(address("https://bank.example", "a").unwrap(), "https://bank.example/receipt/a");
    }

    #[test]
    fn a_name_that_would_be_another_address_has_none() {
        for name in ["", ".", "..", "a\tb", "a\nb", "a b"] {
            assert_eq!(address("https://bank.example/v1", name), None, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn no_name_leaves_its_place(name in ".{0,20}") {
            if let Some(address) = address("https://bank.example/v1", &name) {
                let address: Url = address.parse().unwrap();
                prop_assert_eq!(address.path_segments().unwrap().count(), 3);
                prop_assert_eq!(address.query(), None);
                prop_assert_eq!(address.fragment(), None);
            }
        }
    }
}
