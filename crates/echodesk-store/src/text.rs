//! Text that any column takes.

use std::borrow::Cow;

use serde_json::Value;

/// Without NUL characters, which PostgreSQL takes neither in text nor in JSON.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

/// Without NUL characters and cut to `max_chars`.
pub(crate) fn cut(text: &str, max_chars: usize) -> Cow<'_, str> {
    let text = without_nul(text);
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => Cow::Owned(text[..end].to_owned()),
        None => text,
    }
}

/// A JSON value without NUL characters in its strings: reasons may quote what a server said.
pub(crate) fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_nul(&text).into_owned()),
        Value::Array(elements) => elements.into_iter().map(clean).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, clean(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_taken_out_and_length_counts_characters() {
        assert_eq!(without_nul("a\0b\0"), "ab");
        assert_eq!(cut("თბილისი", 3), "თბი");
        assert_eq!(cut("ab", 2), "ab");
        assert_eq!(cut("\0ab", 2), "ab");
    }

    #[test]
    fn nul_is_taken_out_of_json_at_any_depth() {
        let dirty = serde_json::json!({"a": ["b\0", {"c": "\0"}], "d": 1});
        assert_eq!(clean(dirty), serde_json::json!({"a": ["b", {"c": ""}], "d": 1}));
    }
}
