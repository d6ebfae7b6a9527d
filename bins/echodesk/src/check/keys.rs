//! Are the keys there that open stored passwords, and can they be used?

use echodesk_core::{Environment, Secret};
use echodesk_mail::credential::{self, CredentialError};

use super::finding::Finding;
use super::remedy;

const OWN: &str = "ECHODESK_SECRET_KEY";

/// Stands for a tenant, for whom nothing is kept.
const PROBE_TENANT: &str = "echodesk-check";

/// A key that is missing is a warning: whether one needs it, its mailboxes tell.
pub(super) fn check(environment: &Environment) -> [Finding; 2] {
    [
        // Any text is a key of Django's; whether it is the right one, the mailboxes tell.
        key(
            environment,
            "SECRET_KEY",
            "set it to EchoDesk's own, to use mailboxes that were added in EchoDesk",
            |_| Ok(()),
        ),
        key(environment, OWN, "make one with `openssl rand -base64 32`, to add mailboxes here", seals),
    ]
}

fn key(
    environment: &Environment,
    name: &'static str,
    remedy: &str,
    usable: impl Fn(&Secret) -> Result<(), CredentialError>,
) -> Finding {
    match environment.secret(name).map(|key| usable(&key)) {
        Some(Ok(())) => Finding::ok("key", name, "set"),
        Some(Err(error)) => {
            let line = error.to_string();
            let detail = line.strip_prefix(name).unwrap_or(&line).trim_start().to_owned();
            Finding::failed("key", name, detail, remedy::credential(&error))
        }
        None => Finding::failed("key", name, "not set", remedy).warning(),
    }
}

/// As `echodesk mailbox add` uses it.
fn seals(key: &Secret) -> Result<(), CredentialError> {
    let schema = PROBE_TENANT.parse().map_err(|_| CredentialError::Malformed)?;
    credential::seal(&Secret::new("x"), key, &schema).map(drop)
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

    #[test]
    fn a_key_that_no_password_can_be_sealed_with_is_a_failure() {
        let [_, short] = check(&[(OWN, "hunter2")].into_iter().collect());
        assert_eq!(
            (short.verdict, short.detail.as_str()),
            (Verdict::Failed, "has 7 characters; it must have at least 32")
        );
        assert!(short.remedy.clone().is_some_and(|remedy| remedy.contains("openssl rand")), "{short:?}");
        assert!(!format!("{short:?}").contains("hunter2"));
        let [_, long] = check(&[(OWN, "hunter2-hunter2-hunter2-hunter2-hunter2")].into_iter().collect());
        assert_eq!(long.verdict, Verdict::Ok, "{long:?}");
    }
}
