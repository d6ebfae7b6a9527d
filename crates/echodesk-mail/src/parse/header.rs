//! Header sections (RFC 5322 §2.2), of a message and of its parts.

use std::borrow::Cow;

use super::bounds;

/// The fields that anything is read from; all others are passed over.
const WANTED: [&str; 14] = [
    "from",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-description",
];

/// One field of interest.
#[derive(Debug)]
pub(super) struct Field<'a> {
    /// Its name in lower case.
    name: &'static str,
    /// What follows the colon, still folded.
    value: &'a [u8],
}

/// A header section and what follows it.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) fields: Vec<Field<'a>>,
    /// Everything after the empty line.
    pub(super) body: &'a [u8],
    /// Header fields seen, of interest or not.
    pub(super) seen: usize,
    /// What was too much of the section, in words.
    pub(super) cut: Option<String>,
}

impl<'a> Section<'a> {
    /// Splits `bytes` where the header section ends: at the first empty line, or before the first
    /// line that cannot belong to one, as Python's parser does.
    pub(super) fn split(bytes: &'a [u8]) -> Self {
        let mut section = Self { fields: Vec::new(), body: &[], seen: 0, cut: None };
        let mut rest = bytes;
        // An mbox separator at the very top is not part of the mail.
        if rest.starts_with(b"From ") || rest.starts_with(b">From ") {
            rest = &rest[line_length(rest)..];
        }
        while !rest.is_empty() {
            let first = line_length(rest);
            let line = trim_line_break(&rest[..first]);
            if line.is_empty() {
                section.body = &rest[first..];
                return section;
            }
            let Some(colon) = name_length(line) else {
                section.body = rest;
                return section;
            };
            let mut end = first;
            while rest[end..].first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
                end += line_length(&rest[end..]);
            }
            section.add(&line[..colon], &rest[colon + 1..end]);
            rest = &rest[end..];
        }
        section
    }

    fn add(&mut self, name: &[u8], value: &'a [u8]) {
        self.seen += 1;
        let name = name.trim_ascii_end();
        let Some(name) = WANTED.iter().find(|wanted| wanted.as_bytes().eq_ignore_ascii_case(name)) else { return };
        if self.fields.len() == bounds::FIELDS {
            self.cut = Some(format!("header fields beyond the first {} ignored", bounds::FIELDS));
            return;
        }
        let kept = &value[..value.len().min(bounds::FIELD)];
        if kept.len() < value.len() {
            self.cut = Some(format!("header field {name} cut from {} to {} bytes", value.len(), kept.len()));
        }
        self.fields.push(Field { name, value: kept });
    }

    /// The first field of that name, unfolded and trimmed.
    pub(super) fn first(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.all(name).next()
    }

    /// The first field of that name as one word: folding goes with the white space it came with.
    pub(super) fn first_joined(&self, name: &str) -> Option<Vec<u8>> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        let lines = field.value.split(|byte| matches!(byte, b'\r' | b'\n'));
        Some(lines.flat_map(|line| line.trim_ascii()).copied().collect())
    }

    /// All fields of that name, unfolded and trimmed, in their order.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = Cow<'a, [u8]>> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| unfold(field.value))
    }
}

/// Where the colon of a field is; none if the line is no header field. White space before the colon
/// is obsolete syntax (RFC 5322 §4.5) that still occurs.
fn name_length(line: &[u8]) -> Option<usize> {
    let colon = memchr::memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    // A line that is only the continuation of nothing is passed over under an empty name.
    let is_continuation = line.starts_with(b" ") || line.starts_with(b"\t");
    (is_continuation || !name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(colon)
}

/// The length of the first line with its line break.
fn line_length(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1)
}

fn trim_line_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Undoes folding (RFC 5322 §2.2.3): the line breaks go, the white space after them stays.
fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    if memchr::memchr2(b'\r', b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first<'a>(section: &Section<'a>, name: &str) -> String {
        String::from_utf8_lossy(&section.first(name).unwrap_or_default()).into_owned()
    }

    #[test]
    fn fields_are_found_unfolded_and_the_body_follows_the_empty_line() {
        let section =
            Section::split(b"SUBJECT: one\r\n\ttwo\r\nX-A: b\r\nTo : a@b\r\nSubject: late\r\n\r\nBody: x\r\n");
        assert_eq!(first(&section, "subject"), "one\ttwo");
        assert_eq!(first(&section, "to"), "a@b");
        assert_eq!(section.first_joined("subject").unwrap(), b"onetwo");
        assert_eq!(section.all("subject").count(), 2);
        assert_eq!((section.seen, section.body), (4, &b"Body: x\r\n"[..]));
    }

    #[test]
    fn a_line_that_is_no_field_begins_the_body() {
        let section = Section::split(b"From sender Mon Jan 1\nSubject: a\nhello there\nTo: b\n");
        assert_eq!(first(&section, "subject"), "a");
        assert_eq!(section.body, b"hello there\nTo: b\n");
        assert_eq!(Section::split(b"").seen, 0);
        assert_eq!(Section::split(b"\r\nx").body, b"x");
    }

    #[test]
    fn too_much_is_cut_and_said() {
        let long = [b"Subject: ".as_slice(), &vec![b'x'; bounds::FIELD * 2], b"\n\n"].concat();
        let section = Section::split(&long);
        assert_eq!(section.first("subject").unwrap().len(), bounds::FIELD - 1, "less the space after the colon");
        assert!(section.cut.unwrap().contains("subject"));
        let many = b"To: a@b\n".repeat(bounds::FIELDS + 1);
        assert!(Section::split(&many).cut.is_some());
    }
}
