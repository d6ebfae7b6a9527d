//! Templates of the operator's own.

use std::fs;

use tempfile::TempDir;

use super::*;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, source) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, source).unwrap();
    }
    folder
}

/// Name and problem of the template that is refused.
fn refused_in(folder: &std::path::Path) -> (String, String) {
    match Templates::with_folder(folder).unwrap_err() {
        TemplateError::Template { name, problem } => (name, problem),
        other @ TemplateError::Folder { .. } => panic!("{other}"),
    }
}

fn refused(files: &[(&str, &str)]) -> (String, String) {
    refused_in(folder(files).path())
}

#[test]
fn a_file_replaces_the_template_of_its_name_and_no_other() {
    let own =
        "\u{feff}Subject: Gone, {{ tenant }}\r\n\r\nExpired\r\n{{ expired|on }}.\r\n\r\n{{ fact(\"Who\", name) }}\r\n";
    let folder = folder(&[("en/suspended.txt", own), (".notes", "not a template")]);
    let templates = Templates::with_folder(folder.path()).unwrap();
    let mail = templates.render(&example("suspended"), &crate::example_reader(Language::En)).unwrap();
    assert_eq!(mail.subject, "Gone, Acme Ltd");
    assert!(mail.text.starts_with("Hello Ana,\n\nExpired on 10 November 2026.\n\nWho: Ana\n\n-- \n"), "{}", mail.text);
    for (name, language) in [("suspended", Language::Ka), ("reminder", Language::En)] {
        let reader = crate::example_reader(language);
        assert_eq!(templates.render(&example(name), &reader).unwrap(), rendered(&example(name), &reader));
    }
}

#[test]
fn parts_and_layouts_can_be_replaced_too() {
    let folder = folder(&[
        ("ru/footer.txt", "Ваш EchoDesk\n"),
        (
            "layout.html",
            "<html lang=\"{{ language }}\">{{ subject }}{% for part in body %}{{ part.text }}{% endfor %}</html>",
        ),
    ]);
    // Parts without a text of their own are no paragraphs, which this layout overlooks.
    assert_eq!(refused_in(folder.path()).0, "layout.html");
    fs::write(folder.path().join("layout.html"), "<html lang=\"{{ language }}\">{{ subject }}</html>").unwrap();
    let templates = Templates::with_folder(folder.path()).unwrap();
    let mail = templates.render(&example("suspended"), &crate::example_reader(Language::Ru)).unwrap();
    assert!(mail.text.ends_with("-- \nВаш EchoDesk\n"), "{}", mail.text);
    assert_eq!(mail.html, "<html lang=\"ru\">Ваш аккаунт EchoDesk приостановлен</html>\n");
}

#[test]
fn a_file_that_replaces_nothing_is_an_error_that_says_what_there_is() {
    for name in ["en/remainder.txt", "de/reminder.txt", "README.md", "en/more/reminder.txt"] {
        let (told, problem) = refused(&[(name, "Subject: x\n\ny\n")]);
        assert!(name.starts_with(&told), "{told}");
        assert!(problem.contains("{en,ka,ru}/reminder.txt") && problem.contains("layout.html"), "{problem}");
    }
}

#[test]
fn an_error_names_file_and_line() {
    let table = [
        ("en/reminder.txt", "Subject: x\n\ny\n{% if %}\n", "line 4"),
        ("en/reminder.txt", "Subject: x\n\ny\n\n{{ expired|on }}\n", "line 5"),
        ("ka/reminder.txt", "Subject: x\n\n{{ days|plural }}\n", "line 3"),
        ("ka/reminder.txt", "Subject: x\n\n{{ name|on }}\n", "line 3"),
        ("ru/renewal.txt", "x\n{{ unknown }}\n", "line 2"),
        ("en/reminder.txt", "Hello\n", "line 1"),
        ("en/reminder.txt", "Subject: x\ny\n\nz\n", "line 1"),
        ("en/reminder.txt", "Subject: x\n\n", "line 1"),
        ("en/reminder.txt", "Subject:\n\ny\n", "line 1"),
        ("en/footer.txt", "We {{ fact(\"a\", \"b\") }}\n", "fact() and link()"),
        ("layout.html", "{{ subjekt }}", "line 1"),
        ("layout.txt", "{{ greeting }}\n{% for %}", "line 2"),
    ];
    for (name, source, place) in table {
        let (told, problem) = refused(&[(name, source)]);
        assert!(told == name && problem.contains(place), "{name} {source:?}: {told}: {problem}");
    }
}

/// Whatever a mistake hides behind: a day, a value that is missing, a plan, a problem.
#[test]
fn a_mistake_in_any_branch_is_found_when_templates_are_loaded() {
    let table = [
        ("en/urgent_reminder.txt", "days == 0"),
        ("ka/urgent_reminder.txt", "days == 1"),
        ("ru/reminder.txt", "days == 3"),
        ("en/grace_warning.txt", "days == 0 and not price"),
        ("en/grace_warning.txt", "days == 7 and plan == 'card' and not card and price"),
        ("ka/renewal.txt", "plan == 'expiring_card' and not card and not price and days == 1"),
        ("ru/renewal.txt", "plan == 'by_hand' and not sign_in_url and days == 0"),
        ("ru/suspended.txt", "not price"),
        ("en/renewal_paid.txt", "not card and not paid_until"),
        ("en/renewal_paid.txt", "card and not paid_until"),
        ("en/payment_failed.txt", "overdue and problem == 'card_expired'"),
        ("en/payment_failed.txt", "not overdue and problem == 'technical' and not next_attempt"),
        ("ka/price_changed.txt", "overdue"),
        ("ru/confirmation_needed.txt", "overdue and next_attempt"),
        ("en/greeting.txt", "name and not tenant"),
        ("en/footer.txt", "tenant and not sign_in_url"),
    ];
    for (name, condition) in table {
        let source = format!("Subject: x\n\ny\n{{% if {condition} %}}\n{{{{ todday }}}}\n{{% endif %}}\n");
        let (told, problem) = refused(&[(name, &source)]);
        assert!(told == name && problem.contains("line 5"), "{name} {condition}: {told}: {problem}");
    }
}

#[test]
fn a_folder_that_is_missing_and_a_file_that_is_no_text_are_errors() {
    let folder = folder(&[]);
    let missing = folder.path().join("missing");
    let error = Templates::with_folder(&missing).unwrap_err().to_string();
    let expected = format!("the folder {} cannot be read: ", missing.display());
    assert!(error.starts_with(&expected), "{error}");
    fs::create_dir(folder.path().join("en")).unwrap();
    fs::write(folder.path().join("en/reminder.txt"), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(refused_in(folder.path()).0, "en/reminder.txt");
    fs::write(folder.path().join("en/reminder.txt"), vec![b' '; 300 * 1024]).unwrap();
    assert!(refused_in(folder.path()).1.contains("larger than"));
}
