//! What every notice promises, whatever its words.

mod folder;
mod limits;
mod snapshots;
mod values;
mod words;

use super::*;

const LANGUAGES: [Language; 3] = [Language::En, Language::Ka, Language::Ru];

fn rendered(notice: &NoticeKind, reader: &Reader<'_>) -> Rendered {
    Templates::embedded().render(notice, reader).unwrap()
}

fn example(name: &str) -> NoticeKind {
    crate::example(name).unwrap().notice
}
