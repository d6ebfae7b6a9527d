//! A seeded corpus like a real mailbox: sizes are log-normal, and most of the bytes are attachments.

use std::f64::consts::TAU;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

/// Median size in bytes.
const MEDIAN: f64 = 12_500.0;
/// Standard deviation of the size's logarithm: gives a mean of 33 kB.
const SIGMA: f64 = 1.393;
const LARGEST: f64 = 2e6;

/// A generator that is the same everywhere (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// In (0, 1].
    fn unit(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(0);
        (f64::from(bits) + 1.0) / (f64::from(u32::MAX) + 1.0)
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (TAU * self.unit()).cos()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Writes two thirds of `messages` into INBOX and the rest into five further folders of a Maildir++,
/// and returns their total size.
///
/// # Errors
/// The files cannot be written.
pub(crate) fn write(maildir: &Path, messages: usize, now: Timestamp) -> io::Result<u64> {
    let mut random = Random(0x5EED_2026);
    let mut bytes = 0;
    for index in 0..6 {
        let folder = if index == 0 { maildir.to_owned() } else { maildir.join(format!(".Folder {index}")) };
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        let count = if index == 0 { messages - messages / 15 * 5 } else { messages / 15 };
        for number in 0..count {
            let id = format!("{index}.{number}");
            let message = message(&mut random, &id, now);
            let name = format!("{}.{id}.bench,S={}:2,S", 1_700_000_000 + number, message.len());
            std::fs::write(folder.join("cur").join(name), &message)?;
            bytes += message.len() as u64;
        }
    }
    Ok(bytes)
}

fn message(random: &mut Random, id: &str, now: Timestamp) -> Vec<u8> {
    let size = (MEDIAN * (SIGMA * random.normal()).exp()).clamp(1000.0, LARGEST);
    // A positive number far below 2^53.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just above")]
    let size = size as usize;
    let age = SignedDuration::from_hours(i64::try_from(random.below(200 * 24)).unwrap_or(0));
    let date = now.checked_sub(age).unwrap_or(now).strftime("%a, %d %b %Y %H:%M:%S +0000");
    let sender = random.below(300);
    let mut message = format!(
        "Return-Path: <sender{sender}@example.com>\r\nReceived: from mx.example.com (mx.example.com [192.0.2.{}])\r\n\
         \tby mail.example.ge with ESMTPS id {id}; {date}\r\nFrom: Sender {sender} <sender{sender}@example.com>\r\n\
         To: support@example.ge\r\nSubject: Question number {id}\r\nMessage-ID: <{id}@bench.example.com>\r\n\
         Date: {date}\r\nMIME-Version: 1.0\r\n",
        random.below(255)
    );
    match random.below(10) {
        0..4 => {
            message.push_str("Content-Type: text/plain; charset=utf-8\r\n\r\n");
            prose(random, &mut message, size, "\r\n");
        }
        4..8 => {
            message.push_str("Content-Type: multipart/alternative; boundary=\"=_b\"\r\n\r\n");
            message.push_str("--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
            prose(random, &mut message, size / 3, "\r\n");
            message.push_str("\r\n--=_b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>\r\n");
            prose(random, &mut message, size, "<br>\r\n");
            message.push_str("</body></html>\r\n--=_b--\r\n");
        }
        _ => {
            message.push_str("Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n");
            message.push_str("--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
            prose(random, &mut message, 1500, "\r\n");
            message.push_str(
                "\r\n--=_b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
                 Content-Disposition: attachment; filename=\"document.bin\"\r\n\r\n",
            );
            while message.len() < size {
                let bytes: Vec<u8> = (0..8).flat_map(|_| random.next().to_le_bytes()).take(57).collect();
                message.push_str(&STANDARD.encode(bytes));
                message.push_str("\r\n");
            }
            message.push_str("--=_b--\r\n");
        }
    }
    message.into_bytes()
}

/// Lines of words until the message has `size` bytes.
fn prose(random: &mut Random, message: &mut String, size: usize, end: &str) {
    const WORDS: [&str; 16] = [
        "the",
        "invoice",
        "გამარჯობა",
        "please",
        "account",
        "счёт",
        "tomorrow",
        "of",
        "login",
        "password",
        "and",
        "customer",
        "მადლობა",
        "answer",
        "we",
        "delivery",
    ];
    loop {
        for _ in 0..9 {
            let word = usize::try_from(random.below(16)).unwrap_or(0);
            message.push_str(WORDS[word]);
            message.push(' ');
        }
        message.push_str(end);
        if message.len() >= size {
            return;
        }
    }
}
