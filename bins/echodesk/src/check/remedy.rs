//! From an error to what somebody can do about it.

use echodesk_mail::credential::CredentialError;
use echodesk_mail::model::{Endpoint, Security};
use echodesk_mail::ports::{MailServerError, TenantProblem};
use echodesk_store::OpenError;

/// For a file of certificate authorities that cannot be used.
pub(super) const CA_FILE: &str = "give --ca-file or ECHODESK_CA_FILE a readable PEM file, or leave it out";

/// For tenants that cannot be listed.
pub(super) const TENANTS: &str = "`echodesk tenant list` shows the tenants; `echodesk migrate` makes missing tables";

/// For a place for attachments that does not work.
pub(super) const ATTACHMENTS: &str =
    "set ECHODESK_ATTACHMENTS to a place that can be written to, file:///FOLDER or s3://BUCKET/PREFIX";

/// For a database that does not open.
pub(super) fn database(error: &OpenError) -> &'static str {
    match error {
        OpenError::Unavailable { .. } => "is the server running, and can this machine reach it?",
        OpenError::NotThere { .. } => "make it with `echodesk migrate`, or point DATABASE_URL elsewhere",
        OpenError::Config { .. } => "check user, password and name in DATABASE_URL (or DB_USER, DB_PASSWORD, DB_NAME)",
    }
}

/// For a tenant whose mailboxes cannot be read.
pub(super) fn tenant(problem: &TenantProblem) -> String {
    match problem {
        TenantProblem::SchemaMissing { schema } => {
            format!("let EchoDesk create schema {schema}, or switch the tenant off")
        }
        TenantProblem::NotMigrated { schema, .. } => format!("let EchoDesk migrate schema {schema}"),
        TenantProblem::OwnTablesMissing { schema, .. } => format!("run `echodesk migrate --tenant {schema}`"),
        TenantProblem::UnknownRequiredColumn { table, column, .. } => {
            format!("give {table}.{column} a default, or use a version of the jobs that knows this EchoDesk")
        }
        TenantProblem::ColumnMissing { table, .. } => {
            format!("let EchoDesk migrate {table}: it is older than this version of the jobs")
        }
        TenantProblem::Unreadable { schema, .. } => format!("give the database user the right to use schema {schema}"),
        TenantProblem::BadName(_) => "mend schema_name of this row of tenants_tenant".to_owned(),
    }
}

/// For a stored password that does not open.
pub(super) fn credential(error: &CredentialError) -> &'static str {
    match error {
        CredentialError::NoDjangoKey => "set SECRET_KEY to the value that EchoDesk runs with",
        CredentialError::SignatureMismatch => {
            "set SECRET_KEY to the value that the password was signed with, or enter the password in EchoDesk again"
        }
        CredentialError::NoOwnKey => "set ECHODESK_SECRET_KEY to the value that it had when the mailbox was added",
        CredentialError::CannotOpen => {
            "set ECHODESK_SECRET_KEY to the value that it had when the mailbox was added, or add the mailbox again"
        }
        CredentialError::KeyTooShort { .. } => "make a longer ECHODESK_SECRET_KEY with `openssl rand -base64 32`",
        CredentialError::Malformed => "enter the password in EchoDesk again, or add the mailbox again",
        CredentialError::NoRandomness => "try again; the operating system gave no random bytes",
    }
}

/// For a mail server that cannot be read.
pub(super) fn mail_server(error: &MailServerError, endpoint: &Endpoint) -> String {
    let Endpoint { host, port, security } = endpoint;
    match error {
        MailServerError::Resolve { .. } => {
            format!("is {host} spelled right, and does the name service of this machine work?")
        }
        MailServerError::Connect { .. } => {
            format!("is the server up, is {port} its IMAP port, and does a firewall let it through?")
        }
        MailServerError::Tls { .. } => match security {
            Security::Tls => format!(
                "the certificate must be valid for {host}; --ca-file adds a private authority; a port that begins without TLS needs STARTTLS"
            ),
            Security::StartTls => {
                format!("the certificate must be valid for {host}; --ca-file adds a private authority")
            }
        },
        MailServerError::NoStartTls { .. } => {
            "use the port with TLS from the start, usually 993: passwords are never sent in the clear".to_owned()
        }
        MailServerError::Login { .. } => {
            "check user name and password; many providers want an app password, and IMAP switched on in their settings"
                .to_owned()
        }
        MailServerError::Unavailable { .. } => {
            "try again later; the provider may limit connections (--per-host of sync-emails)".to_owned()
        }
        MailServerError::Refused { .. } => "ask the provider whether the account may use IMAP".to_owned(),
        MailServerError::Timeout { .. } | MailServerError::OutOfTime => {
            format!("try again later; is the way to {host} slow or filtered?")
        }
        MailServerError::Lost { .. } => {
            "try again; if it stays so, does something on the way cut connections?".to_owned()
        }
        MailServerError::Protocol { .. } => format!("is {host}:{port} really an IMAP server?"),
    }
}

#[cfg(test)]
mod tests;
