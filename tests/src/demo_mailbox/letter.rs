//! Messages as mail programs write them (RFC 5322, RFC 2045–2047).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// A message in the making.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    message_id: Option<String>,
    from: String,
    subject: String,
    references: Vec<String>,
    /// Headers and body of each part.
    parts: Vec<(String, Vec<u8>)>,
    multipart: &'static str,
}

impl Letter {
    pub(super) fn new(message_id: &str, from: &str, subject: &str) -> Self {
        Self { message_id: Some(message_id.to_owned()), ..Self::anonymous(from, subject) }
    }

    /// One without a Message-ID.
    pub(super) fn anonymous(from: &str, subject: &str) -> Self {
        Self {
            message_id: None,
            from: from.to_owned(),
            subject: subject.to_owned(),
            references: Vec::new(),
            parts: Vec::new(),
            multipart: "mixed",
        }
    }

    /// Makes it an answer to the last of these.
    pub(super) fn reply(mut self, references: &[&str]) -> Self {
        self.references = references.iter().map(|id| format!("<{id}>")).collect();
        self
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.part("Content-Type: text/plain; charset=utf-8", text.as_bytes())
    }

    pub(super) fn html(mut self, html: &str) -> Self {
        self.multipart = "alternative";
        self.part("Content-Type: text/html; charset=utf-8", html.as_bytes())
    }

    pub(super) fn attachment(self, name: &str, media_type: &str, bytes: &[u8]) -> Self {
        // RFC 2231.
        let name: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let headers = format!("Content-Type: {media_type}\r\nContent-Disposition: attachment; filename*=utf-8''{name}");
        self.part(&headers, bytes)
    }

    fn part(mut self, headers: &str, body: &[u8]) -> Self {
        self.parts.push((headers.to_owned(), body.to_vec()));
        self
    }

    /// The message, sent at `date`.
    pub(super) fn bytes(self, date: Timestamp) -> Vec<u8> {
        let mut message = format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\n",
            encoded_name(&self.from),
            super::ADDRESS,
            encoded(&self.subject),
            date.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        );
        if let Some(id) = &self.message_id {
            message += &format!("Message-ID: <{id}>\r\n");
        }
        if let Some(last) = self.references.last() {
            message += &format!("In-Reply-To: {last}\r\nReferences: {}\r\n", self.references.join(" "));
        }
        message += "MIME-Version: 1.0\r\n";
        if let [(headers, body)] = &self.parts[..] {
            message += &entity(headers, body);
        } else {
            message += &format!("Content-Type: multipart/{}; boundary=\"=_demo\"\r\n\r\n", self.multipart);
            for (headers, body) in &self.parts {
                message += &format!("--=_demo\r\n{}", entity(headers, body));
            }
            message += "--=_demo--\r\n";
        }
        message.into_bytes()
    }
}

fn entity(headers: &str, body: &[u8]) -> String {
    let text = STANDARD.encode(body);
    let lines: Vec<String> =
        text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("{headers}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n", lines.join("\r\n"))
}

/// A header text, as encoded words of at most 75 characters where it is not ASCII (RFC 2047).
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words: Vec<String> = vec![String::new()];
    for character in text.chars() {
        if words.last().is_some_and(|word| word.len() + character.len_utf8() > 42) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

fn encoded_name(address: &str) -> String {
    match address.rsplit_once(" <") {
        Some((name, rest)) => format!("{} <{rest}", encoded(name)),
        None => address.to_owned(),
    }
}
