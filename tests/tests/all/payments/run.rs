//! A run of `recurring-payments`: started, and ended.

use std::path::PathBuf;
use std::process::{Child, Command};

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::processes::Ended;
use serde_json::Value;

/// A process that is under way.
pub(crate) struct Run {
    pub(crate) child: Child,
    pub(crate) file: PathBuf,
}

/// How it ended, and its report; null if it wrote none.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ended: Ended,
    pub(crate) report: Value,
}

impl Run {
    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own kill: not every machine has the program.
        let kill = format!("kill -s {name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    pub(crate) fn end(self) -> Ran {
        let clock = SystemClock::new();
        let ended = Ended::of(self.child);
        assert!(clock.elapsed().as_secs() < 120, "took {:?}: {ended:#?}", clock.elapsed());
        assert_discreet(&ended);
        let text = std::fs::read(&self.file).unwrap_or_default();
        let report = if text.is_empty() { Value::Null } else { serde_json::from_slice(&text).unwrap() };
        assert!(!report.to_string().contains(SECRETS[0]), "{report:#}");
        Ran { ended, report }
    }
}

impl Ran {
    pub(crate) fn code(&self) -> Option<i32> {
        self.ended.code
    }

    /// The last entry of the report on a tenant.
    pub(crate) fn item(&self, tenant: &str) -> &Value {
        let items = self.report["subscriptions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = items.iter().rfind(|item| item["tenant"] == tenant);
        found.unwrap_or_else(|| panic!("nothing is told of {tenant}: {self:#?}"))
    }

    pub(crate) fn outcome(&self, tenant: &str) -> &str {
        self.item(tenant)["outcome"].as_str().unwrap()
    }

    /// Why a tenant was skipped.
    pub(crate) fn skipped(&self, tenant: &str) -> &str {
        let item = self.item(tenant);
        assert_eq!(item["outcome"], "skipped", "{item:#}");
        item["code"].as_str().unwrap()
    }

    pub(crate) fn is_told_of(&self, tenant: &str) -> bool {
        self.report["subscriptions"].as_array().unwrap().iter().any(|item| item["tenant"] == tenant)
    }

    /// A number of the totals.
    pub(crate) fn total(&self, name: &str) -> u64 {
        self.report["totals"][name].as_u64().unwrap_or_else(|| panic!("{name}: {self:#?}"))
    }

    /// Returns it if it ended with this code.
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.ended.code, Some(code), "{self:#?}");
        self
    }
}

/// The bank's client secret as it is and in the header of a request for a token, what every token of
/// the sandbox begins with, and the key of the installation.
pub(crate) const SECRETS: [&str; 5] =
    ["sandbox secret", "sandbox+secret", "c2FuZGJveC1jbGllbnQ6", "Bearer ", echodesk_tests::processes::SECRET_KEY];

/// No output says a secret, or that something has panicked.
pub(crate) fn assert_discreet(ended: &Ended) {
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("panicked"), "{ended:#?}");
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} in {ended:#?}");
        }
        // Tokens of the sandbox: its name and a UUID.
        let token = text.match_indices("sandbox.").any(|(at, word)| {
            let rest = &text.as_bytes()[at + word.len()..];
            rest.len() >= 32 && rest[..32].iter().all(u8::is_ascii_hexdigit)
        });
        assert!(!token, "a token in {ended:#?}");
    }
}
