//! Messages as senders write them: ordinary ones, and odd ones.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::chance::Dice;

/// A message over so many bytes is stored in part.
pub const SIZE_LIMIT: u64 = 6_000;

/// A message, wherever it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What it is known by: no two messages share it, and all copies of one do. It stands in its text.
    pub token: String,
    /// Its Message-ID, if it has one.
    pub message_id: Option<String>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What its server does when asked for it.
    pub trouble: Option<Trouble>,
}

/// What a server does when it is asked for a certain message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It leaves it out.
    Undeliverable,
    /// It breaks the connection.
    BreaksConnection,
}

/// The bytes of a message.
#[must_use]
pub fn compose(token: &str, message_id: Option<&str>, sent: Timestamp, dice: &mut Dice) -> Vec<u8> {
    let date = sent.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let id = message_id.map(|id| format!("Message-ID: {id}\r\n")).unwrap_or_default();
    let head = format!(
        "Received: from relay\r\nFrom: Customer <customer@example.org>\r\nTo: info@example\r\nSubject: Order [[{token}]]\r\n\
         Date: {date}\r\n{id}"
    );
    match dice.between(0, 100) {
        // No header at all.
        0..=1 => format!("nothing that a mail begins with, [[{token}]]\u{1}\u{2}").into_bytes(),
        // NULs, in the text and in the subject.
        2..=3 => format!("{head}X-Odd: \0\r\n\r\nnot\0a text [[{token}]]\r\n").into_bytes(),
        // Larger than is kept.
        4..=6 => {
            let filling = "All work and no play. ".repeat(dice.between(350, 450) as usize);
            format!("{head}\r\nabout [[{token}]]\r\n{filling}\r\n").into_bytes()
        }
        // A multipart that never ends, with bytes of no character set.
        7..=8 => {
            let mut bytes =
                format!("{head}Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\r\n[[{token}]] ").into_bytes();
            bytes.extend([0xff, 0xfe, 0x80, b'\r', b'\n']);
            bytes
        }
        // With an attachment.
        9..=18 => format!(
            "{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\nგამარჯობა [[{token}]]\r\n--b\r\n\
             Content-Type: text/csv; name=\"list.csv\"\r\nContent-Disposition: attachment; filename=\"list.csv\"\r\n\r\n\
             a,b\r\n1,2\r\n--b--\r\n"
        )
        .into_bytes(),
        _ => format!("{head}\r\nHello,\r\nabout [[{token}]].\r\n").into_bytes(),
    }
}

/// The token that stands in a text.
#[must_use]
pub fn token_in(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("[[")?;
    rest.split_once("]]").map(|(token, _)| token)
}
