//! Reading `.env`: lines of `NAME=value`, taken literally.
//!
//! Passwords and Django's keys hold `$`, `#`, `(`, quotes and backslashes, and a changed character
//! is found out only when a signature does not fit. So nothing in a value has a meaning: there is no
//! substitution, no escape and no comment behind a value, as python-decouple does it, with which
//! Django sites read the same file.

/// A line that is not `NAME=value`, by its number from one. Its text may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadLine(pub(super) usize);

/// A setting.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it stands, counted from one.
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) value: String,
}

/// Reads the content of a file. A name that is there twice has its last value.
pub(super) fn parse(content: &[u8]) -> Result<Vec<Line>, BadLine> {
    // Editors on Windows put a byte order mark in front.
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let mut lines = Vec::new();
    for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
        let bad = BadLine(index + 1);
        let line = std::str::from_utf8(line).map_err(|_| bad)?.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = pair(line).ok_or(bad)?;
        lines.push(Line { number: index + 1, name, value });
    }
    Ok(lines)
}

fn pair(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    // Files that shells read as well say `export` in front of names.
    let exported = name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let name = exported.unwrap_or(name).trim_start();
    is_name(name).then(|| (name.to_owned(), unquoted(value.trim()).to_owned()))
}

/// The names that POSIX gives to environment variables (Base Definitions, 8.1), lower case included.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Without one pair of quotes around it, which keep white space at the ends of a value.
fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('\'').or_else(|| within('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(content: &[u8]) -> Result<Vec<(String, String)>, BadLine> {
        Ok(parse(content)?.into_iter().map(|line| (line.name, line.value)).collect())
    }

    #[test]
    fn values_arrive_literally() {
        let table = [
            ("A=plain", "plain"),
            ("A=django-insecure-$x(#%&*)=+\\n", "django-insecure-$x(#%&*)=+\\n"),
            ("A=${HOME}$HOME$(id)`id`", "${HOME}$HOME$(id)`id`"),
            (r##"A="$ecret\$\"#""##, r##"$ecret\$\"#"##),
            ("A='it's'", "it's"),
            ("A=\"'both'\"", "'both'"),
            ("A='hunter2", "'hunter2"),
            ("A='", "'"),
            ("A=''", ""),
            ("A=", ""),
            ("A=x # no comment", "x # no comment"),
            ("A=#x", "#x"),
            ("A=b=c==", "b=c=="),
            ("  A =  with space \t", "with space"),
            ("A=\" kept \"", " kept "),
            ("export A=x", "x"),
            ("export\tA = x", "x"),
            ("A=თბილისი", "თბილისი"),
            ("A=windows\r", "windows"),
            ("\u{FEFF}A=marked", "marked"),
            ("# A=comment\n\n  # B=comment\nA=after", "after"),
        ];
        for (content, value) in table {
            let expected = vec![("A".to_owned(), value.to_owned())];
            assert_eq!(pairs(content.as_bytes()), Ok(expected), "{content:?}");
        }
    }

    #[test]
    fn a_name_may_begin_with_the_word_export() {
        assert_eq!(pairs(b"exported=x").unwrap()[0].0, "exported");
        assert_eq!(pairs(b"export=x").unwrap()[0].0, "export");
    }

    #[test]
    fn lines_that_are_no_settings_are_told_by_number() {
        let table: [(&[u8], usize); 8] = [
            (b"hunter2", 1),
            (b"A=x\nhunter2\n", 2),
            (b"# c\r\n\r\n=hunter2", 3),
            (b"A B=hunter2", 1),
            (b"1A=hunter2", 1),
            (b"A=x\nB=\xFF\n", 2),
            (b"A-B=x", 1),
            (b"export =x\nexport A B=x", 2),
        ];
        for (content, line) in table {
            assert_eq!(pairs(content), Err(BadLine(line)), "{:?}", String::from_utf8_lossy(content));
        }
    }
}
