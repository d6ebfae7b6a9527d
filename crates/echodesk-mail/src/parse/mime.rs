//! The structure of a message (RFC 2046 §5): its leaves, in order.
//!
//! The bytes of each level are looked at once, levels and parts are bounded, nothing is copied.

use super::bounds;
use super::header::Section;
use super::parameters::Parameterised;
use super::reasons::Reasons;
use super::transfer::Encoding;

/// A part that has no parts of its own. A `message/rfc822` is a leaf too: a mail within the mail.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    /// Its media type, `type/subtype` in lower case, with its parameters.
    pub(super) content_type: Parameterised,
    /// Its disposition, if it says any.
    pub(super) disposition: Parameterised,
    /// How its bytes are wrapped.
    pub(super) encoding: Encoding,
    /// Its bytes as they came.
    pub(super) bytes: &'a [u8],
    /// Whether a delimiter ended it; if not, it may have lost its end.
    pub(super) complete: bool,
    /// Whether it is the whole message.
    pub(super) is_root: bool,
}

impl Leaf<'_> {
    /// The name the sender gave it.
    pub(super) fn name(&self) -> Option<&str> {
        self.disposition.get("filename").or_else(|| self.content_type.get("name"))
    }
}

/// The leaves of the message that `root` is the header section of.
pub(super) fn leaves<'a>(root: &Section<'a>, reasons: &mut Reasons) -> Vec<Leaf<'a>> {
    let mut walk = Walk { leaves: Vec::new(), reasons };
    walk.part(root, Place { depth: 0, default_type: "text/plain", complete: true });
    walk.leaves
}

/// Where in the structure a part is.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    /// What a part is that does not say (RFC 2046 §5.1.5: in a digest, a message).
    default_type: &'static str,
    complete: bool,
}

struct Walk<'a, 'r> {
    leaves: Vec<Leaf<'a>>,
    reasons: &'r mut Reasons,
}

impl<'a> Walk<'a, '_> {
    fn part(&mut self, section: &Section<'a>, place: Place) {
        let mut content_type =
            section.first("content-type").map(|field| Parameterised::parse(&field)).unwrap_or_default();
        if let Some(cut) = &section.cut {
            self.reasons.add(cut.clone());
        }
        if content_type.value.starts_with("multipart/") {
            if place.depth == bounds::DEPTH {
                self.reasons.add(format!("parts nested deeper than {} levels kept as one attachment", bounds::DEPTH));
            } else if self.multipart(section, &content_type, place) {
                return;
            } else {
                self.reasons.add("multipart without its boundary kept as plain text");
                content_type = Parameterised::default();
            }
        }
        if !is_media_type(&content_type.value) {
            place.default_type.clone_into(&mut content_type.value);
        }
        self.leaves.push(Leaf {
            content_type,
            disposition: section
                .first("content-disposition")
                .map(|field| Parameterised::parse(&field))
                .unwrap_or_default(),
            encoding: Encoding::named(section.first("content-transfer-encoding").as_deref()),
            bytes: section.body,
            complete: place.complete,
            is_root: place.depth == 0,
        });
    }

    /// Reads the parts of a multipart; false if its boundary is nowhere.
    fn multipart(&mut self, section: &Section<'a>, content_type: &Parameterised, place: Place) -> bool {
        let Some(boundary) = content_type.get("boundary") else { return false };
        // White space at the end of a boundary does not count.
        let mut parts = Parts::new(section.body, boundary.trim_end().as_bytes());
        if !parts.seek_first() {
            return false;
        }
        let is_digest = content_type.value == "multipart/digest";
        let default_type = if is_digest { "message/rfc822" } else { "text/plain" };
        for (bytes, complete) in parts {
            if self.leaves.len() >= bounds::PARTS {
                self.reasons.add(format!("parts beyond the first {} ignored", bounds::PARTS));
                break;
            }
            let complete = complete || place.complete && place.depth > 0;
            self.part(&Section::split(bytes), Place { depth: place.depth + 1, default_type, complete });
        }
        true
    }
}

fn is_media_type(value: &str) -> bool {
    let token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    // RFC 6838 §4.2 allows 127 characters on each side.
    value.len() <= 255 && value.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// The parts of a multipart body: what lies between its delimiter lines.
struct Parts<'a, 'b> {
    rest: &'a [u8],
    boundary: &'b [u8],
    done: bool,
}

/// A delimiter line.
struct Delimiter {
    /// Where the text before it ends, its line break excluded.
    before: usize,
    /// Where the text after it starts.
    after: usize,
    /// Whether it is the last.
    closes: bool,
}

impl<'a, 'b> Parts<'a, 'b> {
    fn new(body: &'a [u8], boundary: &'b [u8]) -> Self {
        Self { rest: body, boundary, done: false }
    }

    /// Skips the preamble.
    fn seek_first(&mut self) -> bool {
        let Some(first) = self.delimiter() else { return false };
        self.rest = &self.rest[first.after..];
        self.done = first.closes;
        true
    }

    fn delimiter(&self) -> Option<Delimiter> {
        let dashes = memchr::memmem::find_iter(self.rest, b"--");
        for start in dashes {
            if start > 0 && self.rest[start - 1] != b'\n' {
                continue;
            }
            let Some(line) = self.rest[start + 2..].strip_prefix(self.boundary) else { continue };
            let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
            let (tail, closes) = match line[..end].strip_prefix(b"--") {
                Some(tail) if tail.trim_ascii().is_empty() => (tail, true),
                _ => (&line[..end], false),
            };
            if !tail.trim_ascii().is_empty() {
                continue;
            }
            let before = &self.rest[..start];
            let before = before.strip_suffix(b"\n").unwrap_or(before);
            let before = before.strip_suffix(b"\r").unwrap_or(before).len();
            let after = (start + 2 + self.boundary.len() + end + 1).min(self.rest.len());
            return Some(Delimiter { before, after, closes });
        }
        None
    }
}

impl<'a> Iterator for Parts<'a, '_> {
    /// The part, and whether a delimiter ended it.
    type Item = (&'a [u8], bool);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        match self.delimiter() {
            Some(delimiter) => {
                let part = &self.rest[..delimiter.before];
                self.rest = &self.rest[delimiter.after..];
                self.done = delimiter.closes;
                Some((part, true))
            }
            None => {
                self.done = true;
                (!self.rest.is_empty()).then_some((self.rest, false))
            }
        }
    }
}

#[cfg(test)]
mod tests;
