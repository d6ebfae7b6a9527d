//! Why a command could not be done.

use std::net::SocketAddr;
use std::path::PathBuf;

use echodesk_billing::MoneyError;
use echodesk_core::SchemaName;
use echodesk_job::{ExitStatus, JobError, SettingsError};
use echodesk_mail::credential::CredentialError;
use echodesk_mail::ports::{StoreError, TenantProblem};
use echodesk_store::OpenError;

use crate::mailbox::password::PasswordError;
use crate::orders::Unresolvable;

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// What can happen to every job as well.
    #[error(transparent)]
    Job(#[from] JobError),
    /// No usable password was given.
    #[error("no password")]
    Password(#[from] PasswordError),
    /// The password cannot be encrypted.
    #[error("the password cannot be stored")]
    Credential(#[from] CredentialError),
    /// No mailbox of that id.
    #[error("tenant {schema} has no mailbox {id}: `echodesk mailbox list --tenant {schema}` lists them")]
    NoMailbox {
        /// The tenant.
        schema: SchemaName,
        /// What was asked for.
        id: i64,
    },
    /// The tenant's mailboxes cannot be listed.
    #[error("the mailboxes of tenant {schema} cannot be read")]
    Unreadable {
        /// The tenant.
        schema: SchemaName,
        /// What is wrong with it.
        source: TenantProblem,
    },
    /// A number without a tenant, which names nobody.
    #[error("no tenant has a mailbox {0}: `echodesk mailbox list` lists them")]
    NoMailboxAnywhere(i64),
    /// A number without a tenant, which names several.
    #[error("mailbox {id} is not one: say which with --tenant or as {}", among.join(" or "))]
    AmbiguousMailbox {
        /// What was asked for.
        id: i64,
        /// What may have been meant, as `tenant/id`.
        among: Vec<String>,
    },
    /// `acme/7 --tenant globex`.
    #[error("mailbox {mailbox} is not one of tenant {tenant}")]
    TwoTenants {
        /// The mailbox with its tenant.
        mailbox: String,
        /// What `--tenant` says.
        tenant: SchemaName,
    },
    /// The database is bound to another installation, and nobody said why that is to change.
    #[error(
        "the database is bound to {name:?} ({differences}): say --copy if it is a copy of that installation's, whose \
         waiting notices are then withdrawn here, or --moved if that installation has moved or changed"
    )]
    BoundElsewhere {
        /// What that is called.
        name: String,
        /// In what it differs from this one.
        differences: String,
    },
    /// `--copy`, and nothing says that it is one.
    #[error(
        "nothing here differs from {name:?}, to which the database is bound: what waits in it would be lost. A copy needs \
         another ECHODESK_ENVIRONMENT, and another bank client or none"
    )]
    NoCopy {
        /// What the database is bound to.
        name: String,
    },
    /// `--copy`, and cards would be charged by both.
    #[error(
        "BOG_CLIENT_ID is still that of {name:?}: from a copy the same customers would be charged again. Set another, \
         or leave it out; if the installation itself has moved, say --moved"
    )]
    SameBank {
        /// What the database is bound to.
        name: String,
    },
    /// A job that there is not.
    #[error("there is no job {job:?}: {known}")]
    UnknownJob {
        /// What was asked for.
        job: String,
        /// Those that there are.
        known: String,
    },
    /// A subscription costs no amount of money.
    #[error("the price for {agents} agents")]
    Price {
        /// For how many.
        agents: u32,
        /// What is wrong with it.
        source: MoneyError,
    },
    /// Nothing can be decided about an order.
    #[error(transparent)]
    Unresolvable(#[from] Unresolvable),
    /// What was asked for cannot be written to a file.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address to listen on cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

impl CommandError {
    /// The exit code that this error means.
    pub(crate) fn status(&self) -> ExitStatus {
        match self {
            Self::Job(error) => error.status(),
            Self::Credential(CredentialError::NoRandomness) | Self::Unreadable { .. } => ExitStatus::DoneWithFailures,
            Self::Password(_)
            | Self::Credential(_)
            | Self::NoMailbox { .. }
            | Self::NoMailboxAnywhere(_)
            | Self::AmbiguousMailbox { .. }
            | Self::TwoTenants { .. }
            | Self::Price { .. }
            | Self::BoundElsewhere { .. }
            | Self::NoCopy { .. }
            | Self::SameBank { .. }
            | Self::UnknownJob { .. }
            | Self::Unwritable { .. }
            | Self::Listen { .. } => ExitStatus::Usage,
            Self::Unresolvable(Unresolvable::Contradicted { .. }) => ExitStatus::DoneWithFailures,
            Self::Unresolvable(_) => ExitStatus::Usage,
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Job(error.into())
    }
}

impl From<OpenError> for CommandError {
    fn from(error: OpenError) -> Self {
        Self::Job(error.into())
    }
}

impl From<SettingsError> for CommandError {
    fn from(error: SettingsError) -> Self {
        Self::Job(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_can_mend_is_wrong_usage() {
        let schema: SchemaName = "acme".parse().unwrap();
        let table: Vec<(CommandError, u8)> = vec![
            (PasswordError::Empty.into(), 2),
            (CredentialError::KeyTooShort { length: 3 }.into(), 2),
            (CredentialError::NoRandomness.into(), 1),
            (SettingsError::missing("ECHODESK_SECRET_KEY", "make one").into(), 2),
            (OpenError::NotThere { folder: "echodesk-data".into() }.into(), 2),
            (CommandError::NoMailbox { schema: schema.clone(), id: 7 }, 2),
            (CommandError::NoMailboxAnywhere(7), 2),
            (CommandError::AmbiguousMailbox { id: 7, among: vec![] }, 2),
            (CommandError::TwoTenants { mailbox: "acme/7".to_owned(), tenant: schema }, 2),
        ];
        for (error, code) in table {
            assert_eq!(error.status().code(), code, "{error}");
        }
    }
}
