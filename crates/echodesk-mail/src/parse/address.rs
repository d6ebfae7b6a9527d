//! Authors and recipients.

use super::header::Section;
use super::reasons::Reasons;
use super::{charset, encoded_word, library};
use crate::model::Address;

/// Reads address fields of one message. `left` says how many more addresses may be kept.
pub(super) struct Addresses<'s, 'a> {
    pub(super) section: &'s Section<'a>,
    /// Character set of the body, for raw bytes in the header.
    pub(super) body_charset: Option<&'s str>,
}

impl Addresses<'_, '_> {
    /// The addresses of every field of that name, members of groups included, and how many there
    /// were before `limit` cut them.
    pub(super) fn all(&self, name: &str, limit: usize, reasons: &mut Reasons) -> (Vec<Address>, usize) {
        let mut kept: Vec<Address> = Vec::new();
        let mut count = 0;
        for field in self.section.all(name) {
            let text = charset::decode_header(&field, self.body_charset);
            let normal = encoded_word::normalise(&text);
            let Some((addresses, found)) = library::addresses(&normal, limit.saturating_sub(kept.len())) else {
                reasons.add(format!("header field {name} could not be read"));
                continue;
            };
            kept.extend(addresses.into_iter().map(|address| Address {
                // An address with a line break in it would end a header field of an answer.
                email: address.email.split_whitespace().collect(),
                name: one_line(&address.name),
            }));
            count += found;
        }
        (kept, count)
    }

    /// The first address of a field.
    pub(super) fn first(&self, name: &str, reasons: &mut Reasons) -> Address {
        self.all(name, 1, reasons).0.into_iter().next().unwrap_or_default()
    }
}

/// Decoded words can hold line breaks, which a field must not.
pub(super) fn one_line(text: &str) -> String {
    text.replace(['\r', '\n', '\t'], " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Vec<(String, String)> {
        let header = format!("To: {header}\n\n");
        let section = Section::split(header.as_bytes());
        let addresses = Addresses { section: &section, body_charset: None };
        let (kept, _) = addresses.all("to", 10, &mut Reasons::default());
        kept.into_iter().map(|address| (address.email, address.name)).collect()
    }

    #[test]
    fn addresses_of_every_writing() {
        let cases: [(&str, &[(&str, &str)]); 12] = [
            ("ana@example.com", &[("ana@example.com", "")]),
            ("Ana <ana@example.com>", &[("ana@example.com", "Ana")]),
            ("\"Last, First\" <a@b>, c@d", &[("a@b", "Last, First"), ("c@d", "")]),
            ("=?utf-8?Q?Last=2C_First?= <a@b>", &[("a@b", "Last, First")]),
            ("=?utf-8?B?4YM=?= =?utf-8?B?kA==?=<a@b>", &[("a@b", "ა")]),
            ("\"=?utf-8?B?4YOQ?=\" <a@b>", &[("a@b", "ა")]),
            ("a@b (Ana)", &[("a@b", "Ana")]),
            ("Friends: a@b, Bo <c@d>;, e@f", &[("a@b", ""), ("c@d", "Bo"), ("e@f", "")]),
            ("undisclosed-recipients:;", &[]),
            ("ანა <ana@example.com>", &[("ana@example.com", "ანა")]),
            ("Only A Name", &[("", "Only A Name")]),
            ("", &[]),
        ];
        for (header, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(e, n)| ((*e).to_owned(), (*n).to_owned())).collect();
            assert_eq!(read(header), expected, "{header}");
        }
    }

    #[test]
    fn a_word_cannot_bring_a_line_break() {
        assert_eq!(read("=?utf-8?Q?a=0D=0ABcc:_x@y?= <a@b>"), [("a@b".to_owned(), "a  Bcc: x@y".to_owned())]);
    }
}
