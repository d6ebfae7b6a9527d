//! From a notice to words: subject, text and HTML in the reader's language.

mod amount;
mod blocks;
mod check;
mod context;
mod day;
mod engine;
mod folder;
mod html;
mod layout;
mod line;
mod plural;
mod sign_in;
mod sources;

#[cfg(test)]
mod tests;

use std::path::Path;

use echodesk_core::Language;
use echodesk_core::notice::NoticeKind;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use engine::Engine;

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
    /// Where the tenant signs in, if that is known: `https://…`. Anything but a plain http or https address
    /// is left out.
    pub sign_in_url: Option<&'a str>,
}

/// A notice, ready to be sent as mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters, at most 120 characters.
    pub subject: String,
    /// The body as plain text, lines ended by `\n`.
    pub text: String,
    /// The body as an HTML document.
    pub html: String,
}

/// The texts of all notices. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    engine: Engine,
}

/// Templates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// One is wrong, or is none.
    #[error("template {name}: {problem}")]
    Template {
        /// Its file name, for example `en/reminder.txt`.
        name: String,
        /// What is wrong, and on which line.
        problem: String,
    },
    /// Their folder cannot be read.
    #[error("the folder {path} cannot be read: {problem}")]
    Folder {
        /// Its path.
        path: String,
        /// What the system says.
        problem: String,
    },
}

impl TemplateError {
    fn template(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Template { name: name.into(), problem: problem.into() }
    }
}

impl Templates {
    /// Those that are built in.
    #[must_use]
    pub fn embedded() -> Self {
        Self::default()
    }

    /// Those that are built in, with the ones that a folder holds under the same relative names in their place.
    /// Everything is checked at once: each example is rendered in each language, on days before, on and after the
    /// one that it is about, with and without each value that may be missing.
    ///
    /// # Errors
    /// The folder is missing or cannot be read; it holds a file that replaces nothing; a template is not UTF-8,
    /// is written wrongly, or cannot render one of the examples.
    pub fn with_folder(path: impl AsRef<Path>) -> Result<Self, TemplateError> {
        let templates = Self { engine: Engine::new(folder::read(path.as_ref())?) };
        templates.engine.compile_all()?;
        check::render_all(&templates)?;
        Ok(templates)
    }

    /// Renders a notice.
    ///
    /// # Errors
    /// A template that was replaced fails with these values.
    pub fn render(&self, notice: &NoticeKind, reader: &Reader<'_>) -> Result<Rendered, TemplateError> {
        layout::render(&self.engine, context::template(notice), &context::of(notice, reader), reader)
    }
}
