//! A message as its bytes tell it, before it is made to fit.

use jiff::Timestamp;

use super::address::{Addresses, one_line};
use super::header::Section;
use super::mime::Leaf;
use super::reasons::Reasons;
use super::{ReadContext, bounds, charset, encoded_word, fingerprint, mime, thread, timestamp};
use crate::model::{Address, ContentDigest, MailMessage, RawMessage};
use crate::rules::{fit, identity};

/// What was understood of a message. Its attachments are still to be kept.
pub(super) struct Draft<'a> {
    pub(super) message: MailMessage,
    pub(super) attachments: Vec<Leaf<'a>>,
    pub(super) digest: ContentDigest,
    pub(super) reasons: Reasons,
}

/// Understands `raw`.
pub(super) fn understand<'a>(raw: &'a RawMessage, context: &ReadContext<'_>) -> Draft<'a> {
    let mut reasons = Reasons::default();
    let section = Section::split(&raw.bytes);
    if raw.bytes.is_empty() {
        reasons.add("the message is empty");
    } else if section.seen == 0 {
        reasons.add("no header fields: kept as plain text");
    }
    let digest = fingerprint::digest(&section, raw);

    let mut leaves = mime::leaves(&section, &mut reasons);
    let body_charset = root_charset(&section).or_else(|| first_charset(&leaves));
    let text = |name: &str| {
        section.first(name).map(|field| charset::decode_header(&field, body_charset.as_deref())).unwrap_or_default()
    };

    let own_id = section.first_joined("message-id").unwrap_or_default();
    let own_id = charset::decode_header(&own_id, body_charset.as_deref());
    let has_none = own_id.chars().all(|c| c == '\0' || c.is_whitespace());
    let message_id = if has_none { identity::synthetic(&digest) } else { own_id };
    let in_reply_to = text("in-reply-to");
    let references = cut("references", text("references"), bounds::REFERENCES, &mut reasons);

    let addresses = Addresses { section: &section, body_charset: body_charset.as_deref() };
    let from = addresses.first("from", &mut reasons);
    let reply_to = addresses.first("reply-to", &mut reasons).email;
    let mut recipients = Recipients { kept: 0, found: 0 };
    let to = recipients.read("to", &addresses, &mut reasons);
    let cc = recipients.read("cc", &addresses, &mut reasons);
    let bcc = recipients.read("bcc", &addresses, &mut reasons);
    if recipients.found > recipients.kept {
        reasons.add(format!("recipients cut from {} to {}", recipients.found, recipients.kept));
    }

    let body_text = body("body_text", "text/plain", &mut leaves, &mut reasons);
    let body_html = body("body_html", "text/html", &mut leaves, &mut reasons);

    let message = MailMessage {
        thread_id: thread::thread_id(&references, &in_reply_to, &message_id),
        message_id,
        in_reply_to,
        references,
        is_from_business: !from.email.is_empty() && from.email.eq_ignore_ascii_case(context.mailbox_address.trim()),
        from,
        to,
        cc,
        bcc,
        reply_to,
        subject: one_line(&encoded_word::decode(&text("subject"))),
        body_text,
        body_html,
        attachments: Vec::new(),
        timestamp: timestamp::sent_at(Some(&text("date")), raw.meta.internal_date, context.now),
    };
    Draft { message, attachments: leaves, digest, reasons }
}

/// What can be said of a message that made the parser panic: its bytes as text.
pub(super) fn raw_text<'a>(raw: &'a RawMessage, context: &ReadContext<'_>) -> Draft<'a> {
    let mut reasons = Reasons::default();
    reasons.add("the message could not be parsed: kept as raw text");
    // A section without fields: nothing is read that could fail again.
    let section = Section { fields: Vec::new(), body: &raw.bytes, seen: 0, cut: None };
    let digest = fingerprint::digest(&section, raw);
    let message_id = identity::synthetic(&digest);
    let body_text = String::from_utf8_lossy(&raw.bytes).into_owned();
    let message = MailMessage {
        thread_id: thread::thread_id("", "", &message_id),
        message_id,
        in_reply_to: String::new(),
        references: String::new(),
        from: Address::default(),
        to: Vec::new(),
        cc: Vec::new(),
        bcc: Vec::new(),
        reply_to: String::new(),
        subject: String::new(),
        body_text: cut("body_text", body_text, bounds::BODY_CHARS, &mut reasons),
        body_html: String::new(),
        attachments: Vec::new(),
        timestamp: received(raw, context),
        is_from_business: false,
    };
    Draft { message, attachments: Vec::new(), digest, reasons }
}

fn received(raw: &RawMessage, context: &ReadContext<'_>) -> Timestamp {
    timestamp::sent_at(None, raw.meta.internal_date, context.now)
}

/// Counts recipients over all three fields.
struct Recipients {
    kept: usize,
    found: usize,
}

impl Recipients {
    fn read(&mut self, name: &str, addresses: &Addresses<'_, '_>, reasons: &mut Reasons) -> Vec<Address> {
        let (kept, found) = addresses.all(name, bounds::RECIPIENTS - self.kept, reasons);
        self.kept += kept.len();
        self.found += found;
        kept
    }
}

fn root_charset(section: &Section<'_>) -> Option<String> {
    let field = section.first("content-type")?;
    super::parameters::Parameterised::parse(&field).get("charset").map(str::to_owned)
}

fn first_charset(leaves: &[Leaf<'_>]) -> Option<String> {
    leaves.iter().find_map(|leaf| leaf.content_type.get("charset")).map(str::to_owned)
}

/// Takes the first leaf of that type that is no attachment, and reads it.
fn body(column: &str, content_type: &str, leaves: &mut Vec<Leaf<'_>>, reasons: &mut Reasons) -> String {
    let is_body = |leaf: &Leaf<'_>| leaf.content_type.value == content_type && !is_attachment(leaf);
    let Some(position) = leaves.iter().position(is_body) else { return String::new() };
    let leaf = leaves.remove(position);
    let (bytes, problem) = leaf.encoding.decode(leaf.bytes);
    if let Some(problem) = problem {
        reasons.add(format!("{column}: {problem}"));
    }
    let text = charset::decode(leaf.content_type.get("charset"), bytes);
    if let Some(label) = text.unknown {
        let label: String = label.chars().filter(|c| !c.is_control()).take(40).collect();
        reasons.add(format!("{column}: character set {label:?} is unknown, read as a guess"));
    }
    cut(column, text.text, bounds::BODY_CHARS, reasons)
}

/// Cuts what no column but only good sense limits.
fn cut(column: &str, mut text: String, limit: usize, reasons: &mut Reasons) -> String {
    if let Some(length) = fit::cut_to(&mut text, limit) {
        reasons.add(fit::reason(column, length, limit));
    }
    text
}

/// Whether a text is meant to be a file: it is said to be one, or it has a file name.
fn is_attachment(leaf: &Leaf<'_>) -> bool {
    leaf.disposition.value == "attachment" || !leaf.is_root && leaf.disposition.get("filename").is_some()
}
