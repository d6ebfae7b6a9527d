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

fn refused(files: &[(&str, &str)]) -> TemplateError {
    Templates::with_folder(folder(files).path()).unwrap_err()
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
    let error = Templates::with_folder(folder.path()).unwrap_err();
    assert_eq!(error.name, "layout.html");
    fs::write(folder.path().join("layout.html"), "<html lang=\"{{ language }}\">{{ subject }}</html>").unwrap();
    let templates = Templates::with_folder(folder.path()).unwrap();
    let mail = templates.render(&example("suspended"), &crate::example_reader(Language::Ru)).unwrap();
    assert!(mail.text.ends_with("-- \nВаш EchoDesk\n"), "{}", mail.text);
    assert_eq!(mail.html, "<html lang=\"ru\">Ваш аккаунт EchoDesk приостановлен</html>\n");
}

#[test]
fn a_file_that_replaces_nothing_is_an_error_that_says_what_there_is() {
    for name in ["en/remainder.txt", "de/reminder.txt", "README.md", "en/more/reminder.txt"] {
        let error = refused(&[(name, "Subject: x\n\ny\n")]);
        assert!(name.starts_with(&error.name), "{error}");
        assert!(error.problem.contains("{en,ka,ru}/reminder.txt") && error.problem.contains("layout.html"), "{error}");
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
        let error = refused(&[(name, source)]);
        assert!(error.name == name && error.problem.contains(place), "{name} {source:?}: {error}");
    }
}

#[test]
fn a_folder_that_is_missing_and_a_file_that_is_no_text_are_errors() {
    let folder = folder(&[]);
    let missing = folder.path().join("missing");
    let error = Templates::with_folder(&missing).unwrap_err();
    assert!(error.name.ends_with("missing") && error.problem.contains("cannot be read"), "{error}");
    fs::create_dir(folder.path().join("en")).unwrap();
    fs::write(folder.path().join("en/reminder.txt"), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(Templates::with_folder(folder.path()).unwrap_err().name, "en/reminder.txt");
    fs::write(folder.path().join("en/reminder.txt"), vec![b' '; 300 * 1024]).unwrap();
    assert!(Templates::with_folder(folder.path()).unwrap_err().problem.contains("larger than"));
}
