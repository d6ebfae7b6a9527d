//! Making a message fit the columns of its tenant. Installations differ in their lengths; a value
//! that is too long is shortened and said to be, never a reason to lose the message.

use super::identity;
use crate::model::{ColumnLimits, MailMessage};

/// Cuts `message` to `limits` (characters, not bytes) and says what was cut, in words. What fits
/// already stays as it is, so fitting twice changes nothing.
pub fn fit(message: &mut MailMessage, limits: &ColumnLimits) -> Vec<String> {
    let mut reasons = Vec::new();
    let length = message.message_id.chars().count();
    if length > limits.message_id {
        message.message_id = identity::shorten(&message.message_id, limits.message_id);
        // A column too narrow even for the mark that keeps shortened ids apart.
        cut_to(&mut message.message_id, limits.message_id);
        reasons.push(reason("message_id", length, limits.message_id));
    }
    let columns = [
        ("thread_id", &mut message.thread_id, limits.thread_id),
        ("in_reply_to", &mut message.in_reply_to, limits.in_reply_to),
        ("from_email", &mut message.from.email, limits.from_email),
        ("from_name", &mut message.from.name, limits.from_name),
        ("reply_to", &mut message.reply_to, limits.reply_to),
        ("subject", &mut message.subject, limits.subject),
    ];
    for (column, text, limit) in columns {
        if let Some(length) = cut_to(text, limit) {
            reasons.push(reason(column, length, limit));
        }
    }
    reasons
}

/// Removes NUL characters, which PostgreSQL stores in no text, and says whether there were any.
pub fn remove_nuls(message: &mut MailMessage) -> bool {
    let addresses = message.to.iter_mut().chain(&mut message.cc).chain(&mut message.bcc);
    let in_lists = addresses.flat_map(|address| [&mut address.email, &mut address.name]);
    let in_attachments =
        message.attachments.iter_mut().flat_map(|a| [&mut a.filename, &mut a.content_type, &mut a.url]);
    let single = [
        &mut message.message_id,
        &mut message.thread_id,
        &mut message.in_reply_to,
        &mut message.references,
        &mut message.from.email,
        &mut message.from.name,
        &mut message.reply_to,
        &mut message.subject,
        &mut message.body_text,
        &mut message.body_html,
    ];
    let mut removed = false;
    for text in single.into_iter().chain(in_lists).chain(in_attachments) {
        if text.contains('\0') {
            text.retain(|c| c != '\0');
            removed = true;
        }
    }
    removed
}

/// Shortens `text` to `limit` characters; returns how many it had if that was more.
pub fn cut_to(text: &mut String, limit: usize) -> Option<usize> {
    // As many bytes are at least as many characters.
    if text.len() <= limit {
        return None;
    }
    let (end, _) = text.char_indices().nth(limit)?;
    let length = limit + text[end..].chars().count();
    text.truncate(end);
    Some(length)
}

/// "subject cut from 1400 to 1000 characters".
#[must_use]
pub fn reason(column: &str, length: usize, limit: usize) -> String {
    format!("{column} cut from {length} to {limit} characters")
}

#[cfg(test)]
mod tests;
