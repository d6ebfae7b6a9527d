//! Which installation a database belongs to.
//!
//! A restored copy of a production database holds everything that production charges and mails by. What it
//! does not have is production's surroundings, so these are written into the database once, and compared
//! before anything is charged or sent.

use std::fmt;

/// An installation, by what it is called and whom it acts through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `ECHODESK_ENVIRONMENT`: what people call it, for example `production`.
    pub environment: String,
    /// `BOG_CLIENT_ID`; none where there is no bank.
    pub bank_client: Option<String>,
    /// The mail server, in lower case; none where mails go nowhere else.
    pub mail_host: Option<String>,
}

/// A way in which an installation is not the one that a database is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The name of the environment; it is not set here where there is none.
    Environment {
        /// Here.
        here: Option<String>,
        /// What the database is bound to.
        bound: String,
    },
    /// The account at the bank; none was set when the database was bound where there is none.
    BankClient {
        /// Here.
        here: String,
        /// What the database is bound to.
        bound: Option<String>,
    },
    /// The mail server; none was set when the database was bound where there is none.
    MailHost {
        /// Here.
        here: String,
        /// What the database is bound to.
        bound: Option<String>,
    },
    /// The database itself: the one that was bound was another.
    Database,
}

impl Difference {
    /// Whether binding only has to learn of something that was not set then, and nothing contradicts it.
    #[must_use]
    pub fn is_addition(&self) -> bool {
        matches!(self, Self::BankClient { bound: None, .. } | Self::MailHost { bound: None, .. })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = |name: &str, here: Option<&String>, bound: Option<&String>| {
            match here {
                Some(here) => write!(f, "{name} is {here:?} here")?,
                None => write!(f, "{name} is not set here")?,
            }
            match bound {
                Some(bound) => write!(f, ", and {bound:?} where the database belongs"),
                None => write!(f, ", and was not set when the database was bound"),
            }
        };
        match self {
            Self::Environment { here, bound } => told("ECHODESK_ENVIRONMENT", here.as_ref(), Some(bound)),
            Self::BankClient { here, bound } => told("BOG_CLIENT_ID", Some(here), bound.as_ref()),
            Self::MailHost { here, bound } => told("EMAIL_HOST", Some(here), bound.as_ref()),
            Self::Database => {
                write!(f, "the database is another one than was bound: a copy, or moved to another server")
            }
        }
    }
}

/// In what an installation differs from the one that a database is bound to.
///
/// A bank or a mail server that is not set here does not differ: a host that only reads mail needs neither.
#[must_use]
pub fn differences(bound: &Identity, environment: Option<&str>, here: &Surroundings) -> Vec<Difference> {
    let mut found = Vec::new();
    if environment != Some(bound.environment.as_str()) {
        let here = environment.map(str::to_owned);
        found.push(Difference::Environment { here, bound: bound.environment.clone() });
    }
    if let Some(here) = here.bank_client.as_ref().filter(|here| bound.bank_client.as_ref() != Some(here)) {
        found.push(Difference::BankClient { here: here.clone(), bound: bound.bank_client.clone() });
    }
    if let Some(here) = here.mail_host.as_ref().filter(|here| bound.mail_host.as_ref() != Some(here)) {
        found.push(Difference::MailHost { here: here.clone(), bound: bound.mail_host.clone() });
    }
    found
}

/// Whom an installation acts through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `BOG_CLIENT_ID`.
    pub bank_client: Option<String>,
    /// The mail server, in lower case.
    pub mail_host: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn bound(bank: Option<&str>, mail: Option<&str>) -> Identity {
        Identity {
            environment: "production".to_owned(),
            bank_client: bank.map(str::to_owned),
            mail_host: mail.map(str::to_owned),
        }
    }

    fn here(bank: Option<&str>, mail: Option<&str>) -> Surroundings {
        Surroundings { bank_client: bank.map(str::to_owned), mail_host: mail.map(str::to_owned) }
    }

    #[test]
    fn every_way_to_be_somebody_else_is_told() {
        let (full, none) = (bound(Some("10"), Some("smtp.a")), bound(None, None));
        let environment = |here: Option<&str>| Difference::Environment {
            here: here.map(str::to_owned),
            bound: "production".to_owned(),
        };
        let bank = |here: &str, bound| Difference::BankClient { here: here.to_owned(), bound };
        let mail = |here: &str, bound| Difference::MailHost { here: here.to_owned(), bound };
        let table = [
            (&full, Some("production"), here(Some("10"), Some("smtp.a")), vec![]),
            (&full, Some("production"), here(None, None), vec![]),
            (&none, Some("production"), here(None, None), vec![]),
            (&full, Some("staging"), here(None, None), vec![environment(Some("staging"))]),
            (&full, None, here(None, None), vec![environment(None)]),
            (&full, Some("production"), here(Some("11"), None), vec![bank("11", some("10"))]),
            (&full, Some("production"), here(None, Some("smtp.b")), vec![mail("smtp.b", some("smtp.a"))]),
            (&none, Some("production"), here(Some("10"), Some("b")), vec![bank("10", None), mail("b", None)]),
        ];
        for (bound, environment, surroundings, expected) in table {
            assert_eq!(differences(bound, environment, &surroundings), expected, "{bound:?} {surroundings:?}");
        }
    }

    #[test]
    fn only_what_was_not_set_then_is_an_addition() {
        assert!(Difference::BankClient { here: "1".to_owned(), bound: None }.is_addition());
        assert!(!Difference::BankClient { here: "1".to_owned(), bound: some("2") }.is_addition());
        assert!(!Difference::Environment { here: None, bound: "p".to_owned() }.is_addition());
        assert!(!Difference::Database.is_addition());
    }

    #[test]
    fn a_difference_says_what_is_set_where() {
        let told = Difference::Environment { here: some("staging"), bound: "production".to_owned() }.to_string();
        assert_eq!(told, "ECHODESK_ENVIRONMENT is \"staging\" here, and \"production\" where the database belongs");
        let told = Difference::MailHost { here: "smtp.a".to_owned(), bound: None }.to_string();
        assert_eq!(told, "EMAIL_HOST is \"smtp.a\" here, and was not set when the database was bound");
    }
}
