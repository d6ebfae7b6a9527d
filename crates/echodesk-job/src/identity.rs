//! The clone guard: a restored copy of a production database must neither charge nor mail.

use echodesk_core::identity::differences;
use echodesk_core::{Difference, Environment, Identity, Surroundings};
use echodesk_notify::EmailSettings;
use echodesk_notify::settings::Way;
use echodesk_store::{BoundIdentity, DatabaseMatch, Store};

use crate::error::JobError;
use crate::notices::NoticeSettings;
use crate::settings::SettingsError;

/// The setting that names the installation.
pub const ENVIRONMENT: &str = "ECHODESK_ENVIRONMENT";

/// What a run does that a copy must not do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acts {
    /// It charges cards.
    pub charges: bool,
    /// It cannot do its work without sending mails to a mail server.
    pub must_mail: bool,
}

/// Whether a run may act on the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// The database is this installation's.
    Granted,
    /// Nobody has said whose it is: mails are not sent.
    NotBound,
}

/// Whom this installation acts through, by its settings.
#[must_use]
pub fn surroundings(environment: &Environment, notices: &NoticeSettings) -> Surroundings {
    surroundings_by(environment, notices.email.as_ref())
}

/// The same, where only the way of mails could be read, or not even that.
#[must_use]
pub fn surroundings_by(environment: &Environment, email: Option<&EmailSettings>) -> Surroundings {
    let mail_host = email.and_then(|email| match &email.way {
        Way::Smtp(smtp) => Some(smtp.host.to_ascii_lowercase()),
        Way::File(_) | Way::Console => None,
    });
    // Blanks alone are not set, as everywhere.
    let bank_client = environment.get("BOG_CLIENT_ID").map(str::trim).filter(|client| !client.is_empty());
    Surroundings { bank_client: bank_client.map(str::to_owned), mail_host }
}

/// The identity that a database would be bound to here.
///
/// # Errors
/// It has no name.
pub fn here(environment: &Environment, notices: &NoticeSettings) -> Result<Identity, SettingsError> {
    let Surroundings { bank_client, mail_host } = surroundings(environment, notices);
    let name = name(environment).ok_or_else(|| {
        SettingsError::missing(ENVIRONMENT, "say what this installation is called, for example production or staging")
    })?;
    Ok(Identity { environment: name.to_owned(), bank_client, mail_host })
}

fn name(environment: &Environment) -> Option<&str> {
    environment.get(ENVIRONMENT).map(str::trim).filter(|name| !name.is_empty())
}

/// In what this installation differs from the one that the database is bound to.
#[must_use]
pub fn compare(bound: &BoundIdentity, environment: &Environment, notices: &NoticeSettings) -> Vec<Difference> {
    compare_with(bound, environment, &surroundings(environment, notices))
}

/// The same, with surroundings that may have been read in part.
#[must_use]
pub fn compare_with(bound: &BoundIdentity, environment: &Environment, here: &Surroundings) -> Vec<Difference> {
    let mut found = differences(&bound.identity, name(environment), here);
    if bound.database == DatabaseMatch::Other {
        found.push(Difference::Database);
    }
    found
}

/// Refuses to act on a database that is another installation's, or, where cards would be charged or mails
/// must be sent, nobody's.
///
/// # Errors
/// [`JobError::NotOurs`], [`JobError::NotBound`]; the database is away.
pub fn guard(
    store: &Store,
    environment: &Environment,
    notices: &NoticeSettings,
    acts: Acts,
) -> Result<Permission, JobError> {
    let Some(bound) = store.identity()? else {
        let mails = acts.must_mail && surroundings(environment, notices).mail_host.is_some();
        return match (acts.charges, mails) {
            (false, false) => Ok(Permission::NotBound),
            (true, _) => Err(JobError::NotBound { act: "cards are charged" }),
            (false, true) => Err(JobError::NotBound { act: "notices are sent" }),
        };
    };
    let differences = compare(&bound, environment, notices);
    if differences.is_empty() { Ok(Permission::Granted) } else { Err(not_ours(&bound, &differences)) }
}

/// Whether it is another installation that works here, and not this one with a setting more.
fn looks_like_a_copy(differences: &[Difference]) -> bool {
    differences.iter().any(|difference| matches!(difference, Difference::Environment { .. } | Difference::Database))
}

/// Whether the database is bound, and to another installation than the one of this name.
pub(crate) fn is_somebody_elses(store: &Store, environment: &Environment) -> bool {
    let bound = store.identity().ok().flatten();
    bound.is_some_and(|bound| looks_like_a_copy(&compare_with(&bound, environment, &Surroundings::default())))
}

fn not_ours(bound: &BoundIdentity, differences: &[Difference]) -> JobError {
    let remedy = if differences.iter().all(Difference::is_addition) {
        "if this is right, `echodesk identity bind` adds it"
    } else {
        "if the database is a copy, `echodesk identity bind --copy` makes it this installation's and withdraws the \
         notices that wait in it; if the installation has moved or its settings have changed, `echodesk identity bind \
         --moved`; if neither is so, these settings belong to another database"
    };
    JobError::NotOurs {
        bound: bound.identity.environment.clone(),
        differences: differences.iter().map(ToString::to_string).collect(),
        remedy,
        is_copy: looks_like_a_copy(differences),
    }
}
