//! Names of attachments, made fit to be shown. They are never used as a path.

use super::bounds;
use crate::attachments::media_type;

/// What is kept at the end of a name that is too long, so that its kind stays visible.
const ENDING_CHARS: usize = 20;

/// The sender's name without folders, control characters and the marks that reverse the reading
/// direction (with which `exe` hides in `annexe.txt`); a name made from the type if nothing is left.
pub(super) fn display_name(given: Option<&str>, content_type: &str) -> String {
    let given = given.unwrap_or_default();
    let last = given.rsplit(['/', '\\']).map(str::trim).find(|part| !part.is_empty()).unwrap_or_default();
    let shown: String = last.chars().filter(|c| !c.is_control() && !is_direction_mark(*c)).collect();
    let shown = shown.trim();
    if shown.chars().all(|c| c == '.' || c.is_whitespace()) {
        return media_type::default_name(content_type);
    }
    shorten(shown)
}

fn shorten(name: &str) -> String {
    let length = name.chars().count();
    if length <= bounds::FILENAME_CHARS {
        return name.to_owned();
    }
    let head = name.chars().take(bounds::FILENAME_CHARS - ENDING_CHARS - 1);
    let tail = name.chars().skip(length - ENDING_CHARS);
    head.chain(std::iter::once('…')).chain(tail).collect()
}

fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_without_paths_and_tricks() {
        let cases = [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\ana\invoice.pdf", "invoice.pdf"),
            ("folder/", "folder"),
            ("a\r\nb\0.txt", "ab.txt"),
            ("annexe\u{202e}fdp.exe", "annexefdp.exe"),
            ("..", "document.pdf"),
            ("", "document.pdf"),
            (" / ", "document.pdf"),
            ("ანგარიში.xlsx", "ანგარიში.xlsx"),
        ];
        for (given, expected) in cases {
            assert_eq!(display_name(Some(given), "application/pdf"), expected, "{given:?}");
        }
        assert_eq!(display_name(None, "message/rfc822"), "message.eml");
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let name = display_name(Some(&format!("{}.pdf", "ა".repeat(1000))), "application/pdf");
        assert_eq!(name.chars().count(), bounds::FILENAME_CHARS);
        assert!(name.ends_with(".pdf"));
    }
}
