//! The template engine, with the filters and functions that templates may use.

use std::collections::BTreeMap;
use std::error::Error as _;

use echodesk_core::Language;
use jiff::civil::Date;
use minijinja::value::Rest;
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value};

use super::sources::{BUILT_IN, built_in};
use super::{TemplateError, blocks, day, line, plural};

/// Templates by name, compiled when they are first used and shared by all clones.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    environment: std::sync::Arc<Environment<'static>>,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new(BTreeMap::new())
    }
}

impl Engine {
    /// The built-in templates, with others in place of some.
    pub(super) fn new(replaced: BTreeMap<String, String>) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // A tag on a line of its own leaves no line behind; the line ends of words stay.
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_keep_trailing_newline(true);
        environment.set_loader(move |name| {
            let source = replaced.get(name).map(String::as_str).or_else(|| built_in(name));
            Ok(source.map(keep_line_ends_of_words))
        });
        environment.add_filter("plural", plural_filter);
        environment.add_filter("date", |state: &State<'_, '_>, date: String| in_language(state, &date, day::alone));
        environment.add_filter("on", |state: &State<'_, '_>, date: String| in_language(state, &date, day::on));
        environment.add_filter("until", |state: &State<'_, '_>, date: String| in_language(state, &date, day::until));
        environment.add_function("fact", |label: String, value: String| {
            blocks::fact(&line::one_line(&label, line::NAME), &line::one_line(&value, line::REASON))
        });
        environment.add_function("link", |label: String, address: String| {
            // An address has no spaces, and no length at which it could be cut.
            blocks::link(&line::one_line(&label, line::NAME), &address.replace(char::is_control, ""))
        });
        Self { environment: std::sync::Arc::new(environment) }
    }

    /// Compiles every template.
    pub(super) fn compile_all(&self) -> Result<(), TemplateError> {
        BUILT_IN.iter().try_for_each(|(name, _)| match self.environment.get_template(name) {
            Ok(_) => Ok(()),
            Err(error) => Err(located(name, &error)),
        })
    }

    /// What a template makes of values.
    pub(super) fn run(&self, name: &str, values: &Value) -> Result<String, TemplateError> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(values))
            .map_err(|error| located(name, &error))
    }
}

/// A tag that ends a line of words keeps the line's end, or the last word would grow together with the next.
fn keep_line_ends_of_words(source: &str) -> String {
    let kept = source.lines().map(|line| match line.strip_suffix("%}") {
        Some(words) if !is_tag_alone(line) && !words.ends_with(['-', '+']) => format!("{words}+%}}"),
        _ => line.to_owned(),
    });
    kept.map(|line| line + "\n").collect()
}

fn is_tag_alone(line: &str) -> bool {
    line.trim_start().starts_with("{%") && line.matches("%}").count() == 1
}

/// An error by the file and line in which it arose, which may be an included one.
fn located(name: &str, error: &Error) -> TemplateError {
    let mut innermost = error;
    while let Some(source) = innermost.source().and_then(|source| source.downcast_ref::<Error>()) {
        innermost = source;
    }
    let mut problem = innermost.kind().to_string();
    if let Some(detail) = innermost.detail() {
        problem = format!("{problem}: {detail}");
    }
    if let Some(line) = innermost.line() {
        problem = format!("line {line}: {problem}");
    }
    TemplateError::template(innermost.name().unwrap_or(name), problem)
}

fn plural_filter(number: i64, forms: Rest<String>) -> Result<String, Error> {
    plural::form(number, &forms).map(str::to_owned).ok_or_else(|| {
        Error::new(ErrorKind::InvalidOperation, "plural wants one form (Georgian), two (English) or three (Russian)")
    })
}

fn in_language(state: &State<'_, '_>, date: &str, write: fn(Date, Language) -> String) -> Result<String, Error> {
    let language = state.lookup("language").and_then(|value| value.as_str().map(Language::from_code));
    let date: Date = date.parse().map_err(|_| {
        Error::new(ErrorKind::InvalidOperation, format!("`{date}` is no day; on, until and date want one"))
    })?;
    Ok(write(date, language.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(source: &str) -> String {
        let replaced = BTreeMap::from([("layout.txt".to_owned(), source.to_owned())]);
        Engine::new(replaced).run("layout.txt", &minijinja::context! { yes => true }).unwrap()
    }

    #[test]
    fn a_tag_alone_leaves_no_line_and_a_tag_behind_words_no_gap_out() {
        let table = [
            ("a\n{% if yes %}\nb\n{% endif %}\nc", "a\nb\nc\n"),
            ("a{% if yes %} b{% endif %}\nc\n", "a b\nc\n"),
            ("{% if yes %}a{% endif %}\n\nb\n", "a\n\nb\n"),
            ("  {% if yes %}\na\n  {% endif %}\n", "a\n"),
            ("a{% if yes %} b{% endif -%}\n c\n", "a bc\n"),
        ];
        for (source, expected) in table {
            assert_eq!(run(source), expected, "{source:?}");
        }
    }
}
