//! Every example in every language, to be read by people and compared by translators.

use super::*;

fn settings(folder: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("snapshots/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// The three languages of a text side by side.
#[test]
fn texts() {
    let _bound = settings("text").bind_to_scope();
    for example in crate::examples() {
        let mails = LANGUAGES.map(|language| {
            let mail = rendered(&example.notice, &crate::example_reader(language));
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        });
        insta::assert_snapshot!(example.name, mails.join("\n=====\n\n"));
    }
}

#[test]
fn html() {
    for language in LANGUAGES {
        let _bound = settings(&format!("html/{}", language.code())).bind_to_scope();
        for example in crate::examples() {
            let mail = rendered(&example.notice, &crate::example_reader(language));
            insta::assert_snapshot!(example.name, mail.html);
        }
    }
}
