//! Lines that fit.

/// Columns of a line.
const WIDTH: usize = 100;

/// `text` after `lead`, in lines of at most 100 columns, of which those after the first are set under the text.
/// What is too long for a line and has no space is left whole. Line breaks and other control characters, as
/// servers may send them, are spaces.
pub(super) fn wrapped(lead: &str, text: &str) -> String {
    let indent = lead.chars().count();
    let (mut lines, mut column) = (lead.to_owned(), indent);
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        }
        if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += width;
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_stands_under_itself_and_no_line_is_too_long() {
        let text = "word ".repeat(60);
        let wrapped = wrapped("  lead  ", &text);
        assert!(wrapped.lines().all(|line| line.chars().count() <= WIDTH), "{wrapped}");
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("        word")), "{wrapped}");
        assert_eq!(wrapped.split_whitespace().filter(|word| *word == "word").count(), 60);
    }

    #[test]
    fn what_a_server_says_cannot_make_lines_of_its_own() {
        assert_eq!(wrapped("a ", "one\r\ntwo\x1b[2Kthree"), "a one two [2Kthree\n");
        assert_eq!(wrapped("", &"x".repeat(200)), format!("{}\n", "x".repeat(200)));
    }
}
