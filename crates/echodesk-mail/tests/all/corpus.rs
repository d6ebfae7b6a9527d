//! Every mail of the corpus, as it is stored.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::reading::read;

pub(crate) fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
    files.sort();
    assert!(files.len() >= 50, "the corpus is here: {}", files.len());
    files
}

#[test]
fn every_mail_is_stored_as_its_snapshot_says() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for file in files() {
            let (read, kept) = read(&std::fs::read(&file).unwrap());
            let kept: Vec<_> = kept
                .iter()
                .map(|kept| json!({ "filename": kept.filename, "bytes": kept.bytes.escape_ascii().to_string() }))
                .collect();
            let stored = json!({
                "reduced": read.reduced,
                "digest": read.fingerprint.digest.to_string(),
                "message": read.message,
                "kept": kept,
            });
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            insta::assert_snapshot!(name, serde_json::to_string_pretty(&stored).unwrap());
        }
    });
}
