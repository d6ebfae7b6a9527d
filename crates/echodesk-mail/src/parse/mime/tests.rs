use super::*;

fn shape(raw: &str) -> (Vec<String>, Option<String>) {
    let mut reasons = Reasons::default();
    let raw = raw.replace('\n', "\r\n");
    let leaves = leaves(&Section::split(raw.as_bytes()), &mut reasons)
        .iter()
        .map(|leaf| {
            let end = if leaf.complete { "" } else { "…" };
            format!("{} {:?}{end}", leaf.content_type.value, String::from_utf8_lossy(leaf.bytes))
        })
        .collect();
    (leaves, reasons.joined())
}

#[test]
fn parts_end_where_their_delimiters_are() {
    let (leaves, reason) = shape(concat!(
        "Content-Type: multipart/mixed; boundary=\"a\"\n\npreamble\n--a\n\none\n--ab is no delimiter\n--a  \n",
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\ntwo\n--b--\nepilogue\n",
        "--a\nContent-Type: nonsense\n\n\nthree\n\n--a--\nepilogue --a\n"
    ));
    assert_eq!(
        leaves,
        [r#"text/plain "one\r\n--ab is no delimiter""#, r#"text/html "two""#, r#"text/plain "\r\nthree\r\n""#]
    );
    assert_eq!(reason, None);
}

#[test]
fn a_missing_end_ends_at_the_outer_delimiter_or_the_end() {
    let (leaves, _) = shape(concat!(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n",
        "--b\n\none\n--a\n\ntwo"
    ));
    assert_eq!(leaves, [r#"text/plain "one""#, r#"text/plain "two"…"#]);
}

#[test]
fn a_digest_holds_messages() {
    let (leaves, _) = shape("Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: x\n\nhi\n--a--\n");
    assert_eq!(leaves, [r#"message/rfc822 "Subject: x\r\n\r\nhi""#]);
}

#[test]
fn a_multipart_without_its_boundary_is_text() {
    for raw in ["Content-Type: multipart/mixed\n\nhi", "Content-Type: multipart/mixed; boundary=a\n\nhi"] {
        let (leaves, reason) = shape(raw);
        assert_eq!(leaves, [r#"text/plain "hi""#]);
        assert!(reason.unwrap().contains("boundary"));
    }
}

#[test]
fn deep_and_wide_structures_are_bounded() {
    let mut deep = String::new();
    for level in 0..40_000 {
        deep += &format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
    }
    let (leaves, reason) = shape(&deep);
    assert_eq!(leaves.len(), 1);
    assert!(reason.unwrap().contains("20 levels"));

    let wide = format!("Content-Type: multipart/mixed; boundary=a\n\n{}", "--a\n\nx\n".repeat(5_000));
    let (leaves, reason) = shape(&wide);
    assert_eq!(leaves.len(), bounds::PARTS);
    assert!(reason.unwrap().contains("1000"));

    let mut lost = "Content-Type: multipart/mixed; boundary=a\n\n".to_owned();
    for part in 0..900 {
        lost += &format!("--a\nContent-Type: multipart/mixed; boundary=missing{part}\n\nx\n");
    }
    assert_eq!(shape(&lost).0.len(), 900, "each missing boundary is looked for within its own part");
}
