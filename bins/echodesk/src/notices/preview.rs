//! `echodesk notices preview`.

use std::path::Path;

use echodesk_core::Language;
use echodesk_job::notices::templates;
use echodesk_job::{JobError, SettingsError};
use echodesk_notify::{Rendered, Templates, example, example_reader};

use crate::answer::Answer;
use crate::cli::NoticesPreviewArgs;
use crate::command::World;
use crate::error::CommandError;

/// Needs no database, and makes none.
pub(crate) fn preview(world: &World, args: &NoticesPreviewArgs) -> Result<Answer, CommandError> {
    let rendered = render(&templates(&world.settings)?, &args.kind, args.language.into())?;
    match args.html.as_deref() {
        None => Ok(Answer::done(format!("Subject: {}\n\n{}", rendered.subject, ended(&rendered.text)))),
        Some(path) if path == Path::new("-") => Ok(Answer::done(ended(&rendered.html))),
        Some(path) => {
            std::fs::write(path, ended(&rendered.html))
                .map_err(|source| CommandError::Unwritable { path: path.to_owned(), source })?;
            Ok(Answer::done(format!("{:?} as HTML is in {}\n", rendered.subject, path.display())))
        }
    }
}

fn render(templates: &Templates, kind: &str, language: Language) -> Result<Rendered, CommandError> {
    // The command line takes none but those that there are.
    let example = example(kind).ok_or_else(|| SettingsError::wrong("KIND", format!("there is no notice {kind}")))?;
    let rendered = templates.render(&example.notice, &example_reader(language));
    rendered.map_err(|error| JobError::from(SettingsError::wrong("ECHODESK_NOTICE_TEMPLATES", error)).into())
}

/// Ends with one line break.
fn ended(text: &str) -> String {
    format!("{}\n", text.trim_end_matches('\n'))
}
