//! From a notice to words: subject, text and HTML in the reader's language.

mod amount;
mod blocks;
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

/// A template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {name}: {problem}")]
pub struct TemplateError {
    /// Its file name, for example `en/reminder.txt`; of a folder that cannot be used, its path.
    pub name: String,
    /// What is wrong, and on which line.
    pub problem: String,
}

impl Templates {
    /// Those that are built in.
    #[must_use]
    pub fn embedded() -> Self {
        Self::default()
    }

    /// Those that are built in, with the ones that a folder holds under the same relative names in their place.
    /// Everything is checked at once: each example is rendered in each language.
    ///
    /// # Errors
    /// The folder is missing or cannot be read; it holds a file that replaces nothing; a template is not UTF-8,
    /// is written wrongly, or cannot render one of the examples.
    pub fn with_folder(path: impl AsRef<Path>) -> Result<Self, TemplateError> {
        let templates = Self { engine: Engine::new(folder::read(path.as_ref())?) };
        templates.engine.compile_all()?;
        templates.render_examples()?;
        Ok(templates)
    }

    /// Renders a notice.
    ///
    /// # Errors
    /// A template that was replaced fails with these values.
    pub fn render(&self, notice: &NoticeKind, reader: &Reader<'_>) -> Result<Rendered, TemplateError> {
        layout::render(&self.engine, context::template(notice), &context::of(notice, reader), reader)
    }

    fn render_examples(&self) -> Result<(), TemplateError> {
        for example in crate::examples() {
            for language in [Language::En, Language::Ka, Language::Ru] {
                let known = crate::example_reader(language);
                let unknown = Reader { name: "", tenant: "", sign_in_url: None, ..known };
                self.render(&example.notice, &known)?;
                self.render(&example.notice, &unknown)?;
            }
        }
        Ok(())
    }
}
