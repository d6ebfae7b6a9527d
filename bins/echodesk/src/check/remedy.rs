//! From an error to what somebody can do about it.

use echodesk_core::DatabaseUrl;
use echodesk_job::{SettingsError, one_line};
use echodesk_mail::credential::CredentialError;
use echodesk_mail::model::{Endpoint, Security};
use echodesk_mail::ports::{MailServerError, StoreError, StoreErrorKind, TenantProblem};
use echodesk_store::OpenError;

/// For a file of certificate authorities that cannot be used.
pub(super) const CA_FILE: &str = "give --ca-file or ECHODESK_CA_FILE a readable PEM file, or leave it out";

/// For tenants that cannot be listed.
pub(super) const TENANTS: &str = "`echodesk tenant list` shows the tenants; `echodesk migrate` makes missing tables";

/// Why something was not looked at that is in tables which are missing.
pub(super) const TABLES: &str = "its table is missing or cannot be read: see `tables`";
/// For a table that may not be read.
const RIGHTS: &str =
    "grant it to the database user; docs/replacing-the-django-commands.md lists the rights that are needed";

/// For a place for attachments that does not work.
pub(super) const ATTACHMENTS: &str =
    "set ECHODESK_ATTACHMENTS to a place that can be written to, file:///FOLDER or s3://BUCKET/PREFIX";

/// For settings that name no database.
pub(super) const DATABASE_SETTINGS: &str = "correct it and check again";

/// For a server that this machine does not get to.
pub(super) const WAY_OUT: &str = "may this machine connect to it? Look at the firewall, and at HTTPS_PROXY if there is a proxy; else try again later";

/// For TLS that cannot be trusted, to a server whose certificate is above doubt.
pub(super) const TLS_BETWEEN: &str = "does something on the way (a proxy, a filter) put its own certificate there, or is \
                                      the clock of this machine wrong? The system's ca-certificates must be installed";

/// For a client that cannot be made.
pub(super) const OWN_TLS: &str = "install the system's ca-certificates";

/// For a host whose address cannot be found.
pub(super) fn name_of(host: &str, setting: &str) -> String {
    format!("is {host} spelled right in {setting}, and does the name service of this machine work?")
}

/// For settings of the bank that are missing or wrong.
pub(super) fn bank_settings(error: &SettingsError) -> &'static str {
    match error {
        SettingsError::Missing { .. } => "set both, as EchoDesk has them",
        _ => "correct it as .env.example shows it, or leave it out for the bank's production",
    }
}

/// For a database that does not open.
pub(super) fn database(error: &OpenError, url: &DatabaseUrl) -> String {
    match (error, url) {
        (OpenError::Unavailable { .. }, DatabaseUrl::Postgres { .. }) => {
            "is the server running, and can this machine reach it?".to_owned()
        }
        (OpenError::Unavailable { .. }, DatabaseUrl::Sqlite(_)) => {
            "try again; does another program hold its files for long?".to_owned()
        }
        (OpenError::NotThere { .. }, _) => {
            "make it with `echodesk migrate`, or point DATABASE_URL elsewhere".to_owned()
        }
        (OpenError::Config { .. }, DatabaseUrl::Postgres { .. }) => {
            "check user, password and name in DATABASE_URL (or DB_USER, DB_PASSWORD, DB_NAME)".to_owned()
        }
        (OpenError::Config { .. }, DatabaseUrl::Sqlite(_)) => damaged_file(url),
    }
}

/// For tables that cannot be compared with what is needed.
pub(super) fn tables(error: &StoreError, url: &DatabaseUrl) -> String {
    match (error.kind, url.is_embedded()) {
        (StoreErrorKind::Other, true) => damaged_file(url),
        _ if one_line(error).contains("permission denied") => RIGHTS.to_owned(),
        _ => TENANTS.to_owned(),
    }
}

fn damaged_file(url: &DatabaseUrl) -> String {
    format!("may this user read and write the files of {url}? A damaged file is to be restored from a backup")
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
        MailServerError::Tls { problem, .. } => secure_connection(problem, endpoint),
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
        // A server that speaks TLS from the start waits for us to begin, and we wait for its greeting.
        MailServerError::Timeout { doing, .. } | MailServerError::Lost { doing, .. }
            if *security == Security::StartTls && doing.contains("greeting") =>
        {
            "this port may speak TLS from the start: leave out --starttls".to_owned()
        }
        MailServerError::Timeout { .. } | MailServerError::OutOfTime => {
            format!("try again later; is the way to {host} slow or filtered?")
        }
        MailServerError::Lost { .. } => {
            "try again; if it stays so, does something on the way cut connections?".to_owned()
        }
        MailServerError::Protocol { .. } => format!("is {host}:{port} really an IMAP server?"),
    }
}

/// By what OpenSSL says of a handshake: X509_verify_cert_error_string(3), and the reasons of its record
/// layer for bytes that are no TLS.
fn secure_connection(problem: &str, endpoint: &Endpoint) -> String {
    const NOT_TLS: [&str; 4] = ["wrong version number", "unknown protocol", "packet length too long", "http request"];
    let says = |words: &[&str]| words.iter().any(|words| problem.to_ascii_lowercase().contains(words));
    let Endpoint { host, port, security } = endpoint;
    if says(&["hostname mismatch", "ip address mismatch"]) {
        return format!("use a name that is in the certificate of {host} as IMAP server");
    }
    if says(&["expired", "not yet valid"]) {
        return format!("the certificate of {host} must be renewed, unless the clock of this machine is wrong");
    }
    if says(&["certificate"]) {
        return format!("if you trust the authority behind {host}, give its certificate with --ca-file");
    }
    match security {
        Security::Tls if says(&NOT_TLS) => format!("port {port} begins without TLS: use --starttls, or port 993"),
        Security::Tls => {
            format!("if port {port} begins without TLS, use --starttls; else ask the provider about TLS 1.2")
        }
        Security::StartTls => "ask the provider: TLS 1.2 or later is required".to_owned(),
    }
}

#[cfg(test)]
mod tests;
