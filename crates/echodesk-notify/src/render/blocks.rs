//! The parts of a body: paragraphs, small tables, the sign-in link.

/// What opens and divides a line that is no prose. Values never contain it, so only a template can write one.
const MARK: char = '\u{1}';
const FACT: &str = "fact";
const LINK: &str = "link";

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// Sentences.
    Paragraph(String),
    /// Names and values that belong together.
    Facts(Vec<(String, String)>),
    /// A label and the address that it leads to.
    Link(String, String),
}

/// The line that becomes a row of a [`Block::Facts`].
pub(super) fn fact(label: &str, value: &str) -> String {
    format!("{MARK}{FACT}{MARK}{label}{MARK}{value}")
}

/// The line that becomes a [`Block::Link`].
pub(super) fn link(label: &str, address: &str) -> String {
    format!("{MARK}{LINK}{MARK}{label}{MARK}{address}")
}

/// The parts of a rendered body. Empty lines divide paragraphs; other line ends are like spaces.
///
/// # Errors
/// A fact or link does not stand on a line of its own.
pub(super) fn parse(body: &str) -> Result<Vec<Block>, &'static str> {
    let mut blocks = Vec::new();
    // Whether the next line goes on with the last block.
    let mut open = false;
    for line in body.lines().map(str::trim) {
        if line.is_empty() {
            open = false;
            continue;
        }
        let last = if open { blocks.last_mut() } else { None };
        match (block(line)?, last) {
            (Block::Paragraph(line), Some(Block::Paragraph(text))) => {
                text.push(' ');
                text.push_str(&line);
            }
            (Block::Facts(row), Some(Block::Facts(rows))) => rows.extend(row),
            (block, _) => blocks.push(block),
        }
        open = true;
    }
    Ok(blocks)
}

fn block(line: &str) -> Result<Block, &'static str> {
    let Some(marked) = line.strip_prefix(MARK) else {
        return if line.contains(MARK) { Err(ALONE) } else { Ok(Block::Paragraph(line.to_owned())) };
    };
    let parts: Vec<&str> = marked.split(MARK).collect();
    match parts.as_slice() {
        [FACT, label, value] => Ok(Block::Facts(vec![((*label).to_owned(), (*value).to_owned())])),
        [LINK, label, address] => Ok(Block::Link((*label).to_owned(), (*address).to_owned())),
        _ => Err(ALONE),
    }
}

const ALONE: &str = "fact() and link() must stand on a line of their own";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_divide_and_other_line_ends_do_not() {
        let body = format!(
            "\nOne\ntwo.\n\n\nThree.\n{}\n{}\n\n{}\n{}\n",
            fact("a", "1"),
            fact("b", "2"),
            fact("c", "3"),
            link("go", "x")
        );
        let pair = |label: &str, value: &str| (label.to_owned(), value.to_owned());
        let expected = vec![
            Block::Paragraph("One two.".to_owned()),
            Block::Paragraph("Three.".to_owned()),
            Block::Facts(vec![pair("a", "1"), pair("b", "2")]),
            Block::Facts(vec![pair("c", "3")]),
            Block::Link("go".to_owned(), "x".to_owned()),
        ];
        assert_eq!(parse(&body), Ok(expected));
    }

    #[test]
    fn a_table_row_is_no_part_of_a_sentence() {
        for line in [format!("See {}", fact("a", "1")), format!("{} and more {}", fact("a", "1"), fact("b", "2"))] {
            assert_eq!(parse(&line), Err(ALONE));
        }
    }
}
