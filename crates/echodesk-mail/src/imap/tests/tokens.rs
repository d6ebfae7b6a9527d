//! The tokenizer on everything that may come.

use proptest::prelude::*;

use crate::imap::fetch::{read_fetch, take_fetch};
use crate::imap::folders::Folders;
use crate::imap::response::{Literal, Response};
use crate::imap::search::Search;
use crate::imap::tokens::{Malformed, Tokens, Value};
use crate::imap::wire::{Untagged, untagged};
use crate::model::UidSet;

fn show(value: &Value<'_>) -> String {
    match value {
        Value::Atom(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Quoted(bytes) => format!("q:{}", String::from_utf8_lossy(bytes)),
        Value::Literal { index, bytes } => format!("l{index}:{}", String::from_utf8_lossy(bytes)),
        Value::List(values) => format!("<{}>", values.iter().map(show).collect::<Vec<_>>().join("|")),
    }
}

fn all(text: &str) -> Result<String, Malformed> {
    let literals = ["first", "second"].map(|text| Literal { bytes: text.into(), size: text.len() as u64 });
    let mut tokens = Tokens::new(text.as_bytes(), &literals);
    let mut shown = Vec::new();
    while let Some(value) = tokens.next_value()? {
        shown.push(show(&value));
    }
    Ok(shown.join(" "))
}

#[test]
fn tokens_are_read_as_servers_write_them() {
    for (text, expected) in [
        ("", ""),
        ("a b", "a b"),
        ("  a   b ", "a b"),
        ("() (a (b) ())", "<> <a|<b>|<>>"),
        (r#""" "a b" "a\"b\\c" "#, r#"q: q:a b q:a"b\c"#),
        ("{5}\r\n {6+}\r\nx", "l0:first l1:second x"),
        ("({5}\r\n)(~{6}\n)", "<l0:first> <l1:second>"),
        ("BODY[]{5}\r\n)", ""),
        ("BODY[]{5}\r\n", "BODY[] l0:first"),
        ("BODY[HEADER.FIELDS (\"A\" B)]<0> NIL", "BODY[HEADER.FIELDS (\"A\" B)]<0> NIL"),
        ("\\Seen $Важно [Gmail]/x [open a]b", "\\Seen $Важно [Gmail]/x [open a]b"),
        ("a{b {5} ~x", "a{b {5} ~x"),
    ] {
        let expected = if expected.is_empty() && !text.is_empty() { Err(Malformed) } else { Ok(expected.to_owned()) };
        assert_eq!(all(text), expected, "{text:?}");
    }
}

#[test]
fn what_is_not_balanced_is_malformed() {
    let deep = "(".repeat(100_000);
    for text in ["(", ")", "(a", "\"a", "\"a\\", "\"a\r\nb\"", "{1}\r\n{1}\r\n{1}\r\n", "BODY[", deep.as_str()] {
        assert_eq!(all(text), Err(Malformed), "{text:.20}");
    }
}

#[test]
fn a_megabyte_of_braces_takes_no_time() {
    assert!(all(&"{1".repeat(500_000)).is_ok());
    assert!(all(&"~{".repeat(500_000)).is_ok());
    assert!(all(&"[".repeat(1_000_000)).is_ok());
}

fn read_in_every_way(bytes: &[u8], literals: Vec<Literal>) {
    let mut response = Response::new(bytes.to_vec(), literals);
    for _ in 0..2 {
        if let Some(Untagged::Data(data)) = untagged(&response) {
            let _ = read_fetch(data.clone());
            let asked = UidSet::range(1, 9);
            let mut search = Search::new(&asked, 1);
            let _ = search.take(Untagged::Data(data.clone()));
            let _ = search.finish();
            let mut folders = Folders::default();
            let _ = folders.list(data.clone());
            let _ = folders.status(data);
            let _ = folders.finish();
        }
        let _ = take_fetch(&mut response);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_in_every_way(&bytes, Vec::new());
        read_in_every_way(&[b"* 1 FETCH (", bytes.as_slice()].concat(), Vec::new());
    }

    #[test]
    fn no_mixture_of_tokens_makes_it_panic(parts in proptest::collection::vec(prop_oneof![
        Just("("), Just(")"), Just(" "), Just("\""), Just("\\"), Just("{3}\r\n"), Just("~{3+}\r\n"), Just("BODY["), Just("]"),
        Just("BODY[]<0>"), Just("UID"), Just("7"), Just("NIL"), Just("FLAGS"), Just("* 1 FETCH "), Just("* LIST "),
        Just("* STATUS "), Just("* ESEARCH "), Just("TAG"), Just("ALL"), Just("1:3"), Just("\r\n"), Just("ქ"),
    ], 0..40)) {
        let literals = (0..3).map(|_| Literal { bytes: b"abc".to_vec(), size: 3 }).collect();
        read_in_every_way(parts.concat().as_bytes(), literals);
    }
}
