//! One fact that a check found, and how facts are shown.

use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Answer;

/// How a fact is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but somebody should know.
    Warning,
    /// Does not work.
    Failed,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What kind of thing was checked, for example `mailbox`.
    pub(crate) check: &'static str,
    /// Which one.
    pub(crate) subject: String,
    /// How it is.
    pub(crate) verdict: Verdict,
    /// What was found.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) remedy: Option<String>,
}

impl Finding {
    pub(crate) fn ok(check: &'static str, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { check, subject: subject.into(), verdict: Verdict::Ok, detail: detail.into(), remedy: None }
    }

    pub(crate) fn failed(
        check: &'static str,
        subject: impl Into<String>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = Some(remedy.into());
        Self { check, subject: subject.into(), verdict: Verdict::Failed, detail: detail.into(), remedy }
    }

    /// What could not be checked, so that nobody takes silence for a good sign.
    pub(crate) fn not_looked_at(check: &'static str, subject: impl Into<String>, because: &str) -> Self {
        let detail = format!("not looked at, because {because}");
        Self::failed(check, subject, detail, "mend that first, then check again").warning()
    }

    pub(crate) fn warning(mut self) -> Self {
        self.verdict = Verdict::Warning;
        self
    }

    /// One line, whatever a server has put into it.
    fn line(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "FAILED",
        };
        let gap = if self.subject.is_empty() { "" } else { " " };
        let remedy = self.remedy.as_ref().map(|remedy| format!(" -> {remedy}")).unwrap_or_default();
        let line = format!("{verdict:<8}{}{gap}{}: {}{remedy}", self.check, self.subject, self.detail);
        line.replace(|c: char| c.is_control(), " ") + "\n"
    }
}

/// All findings, with exit code 1 if any of them is a failure.
pub(crate) fn answer(as_json: bool, findings: &[Finding]) -> Answer {
    let rows: Vec<Value> = findings.iter().map(|finding| json!(finding)).collect();
    let failed = findings.iter().any(|finding| finding.verdict == Verdict::Failed);
    Answer::list(as_json, &rows, || findings.iter().map(Finding::line).collect()).failed_if(failed)
}

#[cfg(test)]
mod tests {
    use echodesk_job::ExitStatus;

    use super::*;

    fn sample() -> Vec<Finding> {
        vec![
            Finding::ok("database", "sqlite://d", "reachable"),
            Finding::failed("key", "SECRET_KEY", "not set", "set it").warning(),
            Finding::failed("mailbox", "acme/1 a@b.c", "refused:\r\nno", "check the password"),
        ]
    }

    #[test]
    fn each_finding_is_one_line_with_its_remedy() {
        let answer = answer(false, &sample());
        assert_eq!(
            answer.text,
            "ok      database sqlite://d: reachable\n\
             warning key SECRET_KEY: not set -> set it\n\
             FAILED  mailbox acme/1 a@b.c: refused:  no -> check the password\n"
        );
        assert_eq!(answer.status, ExitStatus::DoneWithFailures);
    }

    #[test]
    fn machines_get_the_same_facts() {
        let rows: Value = serde_json::from_str(&answer(true, &sample()).text).unwrap();
        assert_eq!(rows[2]["verdict"], "failed");
        assert_eq!(rows[1]["remedy"], "set it");
        assert_eq!(rows[0]["remedy"], Value::Null);
    }

    #[test]
    fn a_warning_is_no_failure() {
        assert_eq!(answer(false, &sample()[..2]).status, ExitStatus::Done);
    }
}
