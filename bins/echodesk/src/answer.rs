//! What a command answers on standard output.

use echodesk_job::ExitStatus;
use serde_json::Value;

/// Text for the caller, and how the process ends.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) status: ExitStatus,
}

impl Answer {
    /// All went well.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { text: text.into(), status: ExitStatus::Done }
    }

    /// A list, for machines or for people.
    pub(crate) fn list(as_json: bool, rows: &[Value], text: impl FnOnce() -> String) -> Self {
        Self::done(if as_json { json(rows) } else { text() })
    }

    /// The same, with failures if there are any.
    pub(crate) fn failed_if(mut self, failed: bool) -> Self {
        if failed {
            self.status = ExitStatus::DoneWithFailures;
        }
        self
    }
}

/// Indented JSON with a line break at its end.
fn json(rows: &[Value]) -> String {
    format!("{:#}\n", Value::Array(rows.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_json_or_text() {
        let rows = [serde_json::json!({"a": 1})];
        assert_eq!(Answer::list(true, &rows, || unreachable!()).text, "[\n  {\n    \"a\": 1\n  }\n]\n");
        assert_eq!(Answer::list(false, &rows, || "A\n1\n".to_owned()).text, "A\n1\n");
        assert_eq!(Answer::list(true, &[], String::new).text, "[]\n");
    }

    #[test]
    fn failures_show_in_the_status() {
        assert_eq!(Answer::done("").failed_if(false).status, ExitStatus::Done);
        assert_eq!(Answer::done("").failed_if(true).status, ExitStatus::DoneWithFailures);
    }
}
