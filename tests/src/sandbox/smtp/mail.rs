//! A mail that was taken.

use jiff::Timestamp;
use mail_parser::{Message, MessageParser};

/// A mail, with all that is known of how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMail {
    /// When it was taken.
    pub at: Timestamp,
    /// The how manieth connection it came over, from 1.
    pub connection: usize,
    /// Whether it came over TLS.
    pub secure: bool,
    /// Who had logged in.
    pub user: Option<String>,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// What stood behind the sender, such as `BODY=8BITMIME`.
    pub parameters: Vec<String>,
    /// Headers and body as they came, without the dots that the way adds.
    pub bytes: Vec<u8>,
}

impl ReceivedMail {
    /// The headers, in their order, unfolded but otherwise as they came.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let text = String::from_utf8_lossy(&self.bytes);
        let head = text.split_once("\r\n\r\n").map_or(&*text, |(head, _)| head);
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let pair = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        unfolded.split("\r\n").filter_map(pair).collect()
    }

    /// The value of the only header of this name, as it came; none if there is none, or more than one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut found = self.headers().into_iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        let value = found.next()?.1;
        found.next().is_none().then_some(value)
    }

    /// `Message-ID` with its angle brackets, empty if there is none.
    #[must_use]
    pub fn message_id(&self) -> String {
        self.header("Message-ID").unwrap_or_default()
    }

    /// `Subject`, decoded, empty if there is none.
    #[must_use]
    pub fn subject(&self) -> String {
        self.parsed(|message| message.subject().map(str::to_owned)).unwrap_or_default()
    }

    /// The name and the address of `To`, decoded.
    #[must_use]
    pub fn recipient(&self) -> Option<(String, String)> {
        self.parsed(|message| {
            let first = message.to()?.first()?;
            let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
            Some((part(first.name()), part(first.address())))
        })
    }

    /// The text part, decoded, empty if there is none.
    #[must_use]
    pub fn text(&self) -> String {
        self.parsed(|message| message.body_text(0).map(|text| text.into_owned())).unwrap_or_default()
    }

    /// The HTML part, decoded, empty if there is none.
    #[must_use]
    pub fn html(&self) -> String {
        self.parsed(|message| message.body_html(0).map(|text| text.into_owned())).unwrap_or_default()
    }

    /// Whether every line ends as lines of mails do, and none is longer than 998 bytes (RFC 5322, 2.1.1).
    #[must_use]
    pub fn has_proper_lines(&self) -> bool {
        let proper = |line: &[u8]| match line {
            [text @ .., b'\r', b'\n'] => text.len() <= 998 && !text.contains(&b'\r'),
            _ => false,
        };
        self.bytes.split_inclusive(|byte| *byte == b'\n').all(proper)
    }

    fn parsed<T>(&self, look: impl FnOnce(&Message<'_>) -> Option<T>) -> Option<T> {
        MessageParser::default().parse(&self.bytes).and_then(|message| look(&message))
    }
}
