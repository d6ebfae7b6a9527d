//! Every example in every language, to be read by people and compared by translators.

use super::*;

fn settings(folder: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("snapshots/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// The three languages of a text side by side. Nothing is known of who reads those that are called bare.
#[test]
fn texts() {
    let _bound = settings("text").bind_to_scope();
    for example in crate::examples() {
        let mails = LANGUAGES.map(|language| {
            let known = crate::example_reader(language);
            let unknown = Reader { name: "", tenant: "", sign_in_url: None, ..known };
            let reader = if example.name.ends_with("_bare") { unknown } else { known };
            let mail = rendered(&example.notice, &reader);
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        });
        insta::assert_snapshot!(example.name, mails.join("\n=====\n\n"));
    }
}

/// Those that differ from another only in their words are not repeated.
fn is_text_only(name: &str) -> bool {
    ["_tomorrow", "_today", "_bare", "_overdue"].iter().any(|part| name.contains(part))
}

#[test]
fn html() {
    for language in LANGUAGES {
        let _bound = settings(&format!("html/{}", language.code())).bind_to_scope();
        for example in crate::examples().iter().filter(|example| !is_text_only(example.name)) {
            let mail = rendered(&example.notice, &crate::example_reader(language));
            insta::assert_snapshot!(example.name, mail.html);
        }
    }
}
