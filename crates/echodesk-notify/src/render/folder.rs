//! Templates of the operator's own, from a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::TemplateError;
use super::sources::{BUILT_IN, built_in};

/// More than any text of a notice; a folder with larger files is probably not the one that was meant.
const LARGEST: u64 = 256 * 1024;

/// The sources in a folder by their relative names. Files whose names begin with a dot are passed over.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut sources = BTreeMap::new();
    read_into(&mut sources, folder, "")?;
    Ok(sources)
}

fn read_into(sources: &mut BTreeMap<String, String>, folder: &Path, prefix: &str) -> Result<(), TemplateError> {
    let unreadable = |error: std::io::Error| TemplateError::Folder {
        path: folder.display().to_string(),
        problem: error.to_string(),
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if file_name.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{file_name}");
        if path.is_dir() && is_language(&name) {
            read_into(sources, &path, &format!("{name}/"))?;
        } else if built_in(&name).is_none() {
            return Err(TemplateError::template(name, format!("replaces nothing; there are {}", allowed())));
        } else {
            sources.insert(name.clone(), source(&path, &name)?);
        }
    }
    Ok(())
}

fn source(path: &Path, name: &str) -> Result<String, TemplateError> {
    let unreadable = |error: std::io::Error| TemplateError::template(name, format!("cannot be read: {error}"));
    if fs::metadata(path).map_err(unreadable)?.len() > LARGEST {
        return Err(TemplateError::template(name, format!("is larger than {LARGEST} bytes")));
    }
    let source = fs::read_to_string(path).map_err(unreadable)?;
    // Editors on Windows begin files with a byte order mark and end lines with two characters.
    Ok(source.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

fn is_language(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| known.split_once('/').is_some_and(|(language, _)| language == name))
}

/// All names that a file may have, those of one language for all.
fn allowed() -> String {
    let names: Vec<String> = BUILT_IN
        .iter()
        .filter_map(|(name, _)| match name.split_once('/') {
            None => Some((*name).to_owned()),
            Some(("en", file)) => Some(format!("{{en,ka,ru}}/{file}")),
            Some(_) => None,
        })
        .collect();
    names.join(", ")
}
