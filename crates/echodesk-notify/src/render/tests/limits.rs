//! What mail programs and mail servers can take.

use super::*;

/// Every example in every language, for a reader of whom all is known and for one of whom nothing is.
fn all() -> Vec<(String, Rendered)> {
    let mut all = Vec::new();
    for example in crate::examples() {
        for language in LANGUAGES {
            let known = crate::example_reader(language);
            let unknown = Reader { name: "", tenant: "", sign_in_url: None, ..known };
            for (whom, reader) in [("known", known), ("unknown", unknown)] {
                let name = format!("{} {} {whom}", example.name, language.code());
                all.push((name, rendered(&example.notice, &reader)));
            }
        }
    }
    all
}

#[test]
fn subjects_fit_into_a_line() {
    for (name, mail) in all() {
        let length = mail.subject.chars().count();
        assert!((10..=90).contains(&length) && !mail.subject.contains(char::is_control), "{name}: {}", mail.subject);
    }
}

#[test]
fn texts_are_wrapped_paragraphs_that_end_with_a_line() {
    for (name, mail) in all() {
        assert!(mail.text.ends_with('\n') && !mail.text.contains("\n\n\n"), "{name}:\n{}", mail.text);
        assert!(!mail.text.contains(|character: char| character.is_control() && character != '\n'), "{name}");
        for line in mail.text.lines() {
            assert!(line.chars().count() <= 72, "{name}: {line}");
        }
        assert!(!mail.text.contains("none") && !mail.text.contains("{{"), "{name}:\n{}", mail.text);
    }
}

#[test]
fn html_is_small_and_needs_nothing_from_outside() {
    for (name, mail) in all() {
        assert!(mail.html.len() < 20_000, "{name}: {} bytes", mail.html.len());
        assert!(mail.html.lines().all(|line| line.len() <= 998), "{name}");
        let lower = mail.html.to_lowercase();
        let from_outside = [
            "<script",
            "<img",
            "<link",
            "<iframe",
            "<form",
            "@import",
            "url(",
            "src=",
            "onclick",
            "onload",
            "javascript:",
        ];
        for outside in from_outside {
            assert!(!lower.contains(outside), "{name}: {outside}");
        }
    }
}

#[test]
fn html_says_its_language_and_its_colours_for_both_modes() {
    for language in LANGUAGES {
        let html = rendered(&example("reminder"), &crate::example_reader(language)).html;
        assert!(html.starts_with("<!DOCTYPE html>\n"), "{html}");
        assert!(html.contains(&format!("<html lang=\"{}\">", language.code())), "{html}");
        assert!(html.contains("<meta name=\"color-scheme\" content=\"light dark\">"), "{html}");
        assert!(html.contains("prefers-color-scheme: dark") && html.contains("max-width: 600px"), "{html}");
        assert_eq!(html.matches("<style").count(), 1);
    }
}

#[test]
fn every_element_of_the_html_is_closed() {
    for (name, mail) in all() {
        for element in ["html", "head", "body", "table", "tr", "td", "div", "style", "title"] {
            let opened =
                mail.html.matches(&format!("<{element}>")).count() + mail.html.matches(&format!("<{element} ")).count();
            assert_eq!(opened, mail.html.matches(&format!("</{element}>")).count(), "{name}: {element}");
        }
        let paragraphs = mail.html.matches("<p ").count();
        assert!(paragraphs > 2 && paragraphs == mail.html.matches("</p>").count(), "{name}");
    }
}

/// A person who reads only the text is told the same as one who reads the HTML.
#[test]
fn text_and_html_have_the_same_words() {
    for (name, mail) in all() {
        let body = mail.text.split("\n-- \n").next().unwrap();
        let html = plain(&mail.html);
        for word in body.split_whitespace().filter(|word| !word.starts_with("https://")) {
            let word = word.trim_end_matches(':');
            assert!(html.contains(word), "{name}: {word}");
        }
    }
}

fn plain(html: &str) -> String {
    let body = html.split_once("<body").map_or("", |(_, body)| body);
    body.replace("&amp;", "&").replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">")
}
