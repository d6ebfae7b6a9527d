//! Are the keys there that open stored passwords?

use echodesk_core::Environment;

use super::finding::Finding;

/// A key that is missing is a warning: whether one needs it, its mailboxes tell.
pub(super) fn check(environment: &Environment) -> [Finding; 2] {
    [
        key(environment, "SECRET_KEY", "set it to EchoDesk's own, to use mailboxes that were added in EchoDesk"),
        key(environment, "ECHODESK_SECRET_KEY", "make one with `openssl rand -base64 32`, to add mailboxes here"),
    ]
}

fn key(environment: &Environment, name: &'static str, remedy: &str) -> Finding {
    match environment.get(name) {
        Some(_) => Finding::ok("key", name, "set"),
        None => Finding::failed("key", name, "not set", remedy).warning(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    #[test]
    fn a_key_is_told_to_be_there_and_never_shown() {
        let findings = check(&[("SECRET_KEY", "hunter2")].into_iter().collect());
        assert_eq!(findings.clone().map(|finding| finding.verdict), [Verdict::Ok, Verdict::Warning]);
        assert!(!format!("{findings:?}").contains("hunter2"));
    }
}
