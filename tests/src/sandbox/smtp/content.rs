//! Where the content of a mail ends, and the dots before lines (RFC 5321, 4.5.2).

/// How long the content is with the end of its last line, and where the next command begins; none if its
/// end has not arrived. `from` is where to begin looking: nothing ends before it.
pub(super) fn end_of_content(input: &[u8], from: usize) -> Option<(usize, usize)> {
    if input.starts_with(b".\r\n") {
        return Some((0, 3));
    }
    let at = from + memchr::memmem::find(input.get(from..)?, b"\r\n.\r\n")?;
    Some((at + 2, at + 5))
}

/// The content without the dot that a client puts before every line that begins with one.
pub(super) fn unstuffed(content: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(content.len());
    let mut rest = content.strip_prefix(b".").unwrap_or(content);
    while let Some(at) = memchr::memmem::find(rest, b"\r\n.") {
        result.extend_from_slice(&rest[..at + 2]);
        rest = &rest[at + 3..];
    }
    result.extend_from_slice(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_a_line_with_nothing_but_a_dot() {
        for (input, end) in [
            (&b".\r\nQUIT\r\n"[..], Some((0, 3))),
            (b"a\r\n.\r\n", Some((3, 6))),
            (b"a\r\n..\r\n.\r\nRSET", Some((7, 10))),
            (b"a\r\n.\n", None),
            (b"a\n.\r\n", None),
            (b"a\r\n.\r", None),
            (b"", None),
        ] {
            assert_eq!(end_of_content(input, 0), end, "{}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn a_dot_is_taken_from_each_line_that_begins_with_one() {
        for (stuffed, plain) in
            [("..a\r\n", ".a\r\n"), ("a\r\n..\r\n...b\r\n", "a\r\n.\r\n..b\r\n"), ("a.\r\n", "a.\r\n")]
        {
            assert_eq!(String::from_utf8(unstuffed(stuffed.as_bytes())).unwrap(), plain);
        }
    }
}
