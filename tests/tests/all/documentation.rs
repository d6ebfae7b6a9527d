//! The pages are true of the code: links lead somewhere, and every line of the log is explained.

use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files below a folder whose names end like this.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry, end));
        } else if entry.to_string_lossy().ends_with(end) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What a heading is called in a link: lower case, without punctuation, with hyphens.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut pages = files(&top().join("docs"), ".md");
    pages.extend(["README.md", "ARCHITECTURE.md"].map(|name| top().join(name)));
    // They are read in a browser as well as by rustdoc, whose links to items lead nowhere there.
    for folder in ["crates", "examples"] {
        let parts = std::fs::read_dir(top().join(folder)).unwrap().map(|part| part.unwrap().path());
        pages.extend(parts.map(|part| part.join("README.md")));
    }
    let mut seen = 0;
    for page in pages {
        // Code has brackets of its own.
        let text: String = read(&page).split("```").step_by(2).collect();
        let for_rustdoc = text.match_indices("`]").find(|(at, _)| !text[at + 2..].starts_with('('));
        assert_eq!(for_rustdoc, None, "{}: a link for rustdoc alone", page.display());
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            seen += 1;
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            let headings = || read(&target).lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect();
            let headings: Vec<String> = if part.is_empty() { Vec::new() } else { headings() };
            let is_there = headings.iter().any(|line| anchor(line.trim_start_matches(['#', ' '])) == part);
            assert!(part.is_empty() || is_there, "{}: no heading for {link}", page.display());
        }
    }
    assert!(seen > 20, "links were found: {seen}");
}

#[test]
fn every_line_of_the_log_is_explained() {
    let page = read(&top().join("docs/exit-codes-and-logs.md"));
    let (mut missing, mut seen) = (Vec::new(), 0);
    for folder in ["crates", "bins"] {
        for file in files(&top().join(folder), ".rs") {
            let text = read(&file);
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            if file.components().any(|part| ["tests", "tests.rs"].iter().any(|name| part.as_os_str() == *name)) {
                continue;
            }
            for message in messages(text) {
                seen += 1;
                if !page.contains(&message) {
                    missing.push(format!("{}: {message:?}", file.display()));
                }
            }
        }
    }
    assert!(seen > 30, "messages were found: {seen}");
    assert!(missing.is_empty(), "docs/exit-codes-and-logs.md says nothing of\n{}", missing.join("\n"));
}

/// The constant parts of the messages that a source logs at info and above; of each the longest.
fn messages(source: &str) -> Vec<String> {
    let calls = ["tracing::info!(", "tracing::warn!(", "tracing::error!("];
    let starts = calls.iter().flat_map(|call| source.match_indices(call).map(|(at, call)| at + call.len()));
    let literals = starts.filter_map(|start| message(&source[start..]));
    let constant = literals.filter_map(|literal| {
        let pieces = literal.split(['{', '}']).step_by(2).map(|piece| piece.trim().to_owned());
        pieces.filter(|piece| piece.chars().any(char::is_alphabetic)).max_by_key(String::len)
    });
    constant.collect()
}

/// The first text among the arguments of a macro that is an argument by itself, and no value of a field.
fn message(arguments: &str) -> Option<String> {
    let (mut depth, mut before) = (0, ',');
    let mut characters = arguments.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                let mut text = String::new();
                while let Some(next) = characters.next().filter(|next| *next != '"') {
                    text.push(if next == '\\' { characters.next()? } else { next });
                }
                if depth == 0 && before == ',' {
                    return Some(text);
                }
            }
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => return None,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if !character.is_whitespace() {
            before = character;
        }
    }
    None
}

#[test]
fn messages_are_found_among_fields() {
    let table = [
        (r#"tracing::info!("stopped");"#, Some("stopped")),
        (r#"tracing::warn!(%order, outcome = "failed", "callback: {applied}")"#, Some("callback:")),
        (
            r#"tracing::warn!(error = reason(x).unwrap_or("nothing"), seconds, "mailbox \"failed\"")"#,
            Some("mailbox \"failed\""),
        ),
        (r#"tracing::warn!("{} notices wait: none", waiting.queued)"#, Some("notices wait: none")),
        (r#"tracing::error!("{}", one_line(&error))"#, None),
        (r#"tracing::debug!("unseen")"#, None),
    ];
    for (source, found) in table {
        assert_eq!(messages(source), found.into_iter().collect::<Vec<_>>(), "{source}");
    }
}
