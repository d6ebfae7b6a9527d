//! Addresses and attachments as JSON.

use std::borrow::Cow;

use echodesk_mail::model::{Address, AttachmentRef};
use serde::Serialize;

use crate::sql_types::JsonText;
use crate::text::without_nul;

/// Addresses as EchoDesk keeps them.
pub(crate) fn addresses(addresses: &[Address]) -> JsonText {
    #[derive(Serialize)]
    struct Element<'a> {
        email: Cow<'a, str>,
        name: Cow<'a, str>,
    }
    array(
        addresses
            .iter()
            .map(|address| Element { email: without_nul(&address.email), name: without_nul(&address.name) }),
    )
}

/// Attachments as EchoDesk keeps them.
pub(crate) fn attachments(attachments: &[AttachmentRef]) -> JsonText {
    #[derive(Serialize)]
    struct Element<'a> {
        filename: Cow<'a, str>,
        content_type: Cow<'a, str>,
        url: Cow<'a, str>,
        size: u64,
    }
    array(attachments.iter().map(|attachment| Element {
        filename: without_nul(&attachment.filename),
        content_type: without_nul(&attachment.content_type),
        url: without_nul(&attachment.url),
        size: attachment.size,
    }))
}

fn array<T: Serialize>(elements: impl Iterator<Item = T>) -> JsonText {
    // Strings and numbers only: there is nothing in them that JSON could refuse.
    JsonText(serde_json::to_string(&elements.collect::<Vec<_>>()).unwrap_or_else(|_| "[]".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_no_nul_and_keeps_the_letters_that_only_look_like_one() {
        let address = Address { email: "a\0@b".to_owned(), name: r"\u0000".to_owned() };
        assert_eq!(addresses(&[address]).0, r#"[{"email":"a@b","name":"\\u0000"}]"#);
        assert_eq!(attachments(&[]).0, "[]");
    }
}
