use std::io;
use std::time::Duration;

use super::*;

fn endpoint(security: Security) -> Endpoint {
    Endpoint { host: "imap.acme.example".to_owned(), port: 993, security }
}

fn text() -> String {
    "no".to_owned()
}

#[test]
fn every_trouble_of_a_mail_server_has_its_advice() {
    let source = || io::Error::other("no");
    let table = [
        (MailServerError::Resolve { host: text(), source: source() }, "spelled right"),
        (MailServerError::Connect { endpoint: text(), source: source() }, "993"),
        (MailServerError::Tls { endpoint: text(), problem: text() }, "TLS 1.2"),
        (MailServerError::NoStartTls { endpoint: text(), problem: text() }, "TLS from the start"),
        (MailServerError::Login { username: text(), answer: text() }, "app password"),
        (MailServerError::Unavailable { answer: text() }, "later"),
        (MailServerError::Refused { command: "LIST", answer: text() }, "may use IMAP"),
        (MailServerError::Timeout { doing: "x", after: Duration::from_secs(1) }, "imap.acme.example"),
        (MailServerError::OutOfTime, "later"),
        (MailServerError::Lost { doing: "x", source: source() }, "cut connections"),
        (MailServerError::Protocol { problem: text() }, "really an IMAP server"),
    ];
    for (error, part) in table {
        let advice = mail_server(&error, &endpoint(Security::Tls));
        assert!(advice.contains(part), "{error}: {advice}");
    }
}

#[test]
fn a_handshake_that_fails_is_told_by_its_cause() {
    use Security::{StartTls, Tls};
    let untrusted = "certificate verify failed (self-signed certificate in certificate chain)";
    let table = [
        (Tls, "error:0A00010B:SSL routines::wrong version number", "begins without TLS: use --starttls"),
        (Tls, untrusted, "--ca-file"),
        (StartTls, untrusted, "--ca-file"),
        (Tls, "certificate verify failed (hostname mismatch)", "a name that is in the certificate"),
        (Tls, "certificate verify failed (certificate has expired)", "renewed"),
        (StartTls, "unsupported protocol", "TLS 1.2"),
    ];
    for (security, problem, part) in table {
        let error = MailServerError::Tls { endpoint: text(), problem: problem.to_owned() };
        let advice = mail_server(&error, &endpoint(security));
        assert!(advice.contains(part), "{problem}: {advice}");
        assert_eq!(advice.contains("--starttls"), part.contains("--starttls"), "{problem}: {advice}");
    }
}

#[test]
fn starttls_on_a_port_that_speaks_tls_from_the_start_is_recognised_by_its_silence() {
    let silent = |doing| MailServerError::Timeout { doing, after: Duration::from_secs(30) };
    let closed = MailServerError::Lost { doing: "waiting for the greeting", source: io::Error::other("no") };
    let part = "leave out --starttls";
    assert!(mail_server(&silent("waiting for the greeting"), &endpoint(Security::StartTls)).contains(part));
    assert!(mail_server(&closed, &endpoint(Security::StartTls)).contains(part));
    assert!(!mail_server(&silent("waiting for the greeting"), &endpoint(Security::Tls)).contains(part));
    assert!(!mail_server(&silent("logging in"), &endpoint(Security::StartTls)).contains(part));
}

#[test]
fn every_trouble_with_a_stored_password_names_the_key_that_matters() {
    let table = [
        (CredentialError::NoDjangoKey, "set SECRET_KEY"),
        (CredentialError::SignatureMismatch, "set SECRET_KEY"),
        (CredentialError::NoOwnKey, "set ECHODESK_SECRET_KEY"),
        (CredentialError::CannotOpen, "set ECHODESK_SECRET_KEY"),
        (CredentialError::KeyTooShort { length: 3 }, "openssl rand"),
        (CredentialError::Malformed, "again"),
        (CredentialError::NoRandomness, "try again"),
    ];
    for (error, part) in table {
        assert!(credential(&error).contains(part), "{error}: {}", credential(&error));
    }
}

#[test]
fn every_trouble_with_a_tenant_says_who_has_to_act() {
    let (schema, table, column) = ("acme".to_owned(), "t".to_owned(), "c".to_owned());
    let cases = [
        (TenantProblem::SchemaMissing { schema: schema.clone() }, "EchoDesk create schema acme"),
        (TenantProblem::NotMigrated { schema: schema.clone(), table: table.clone() }, "EchoDesk migrate schema acme"),
        (
            TenantProblem::OwnTablesMissing { schema: schema.clone(), table: table.clone() },
            "`echodesk migrate --tenant acme`",
        ),
        (
            TenantProblem::UnknownRequiredColumn {
                schema: schema.clone(),
                table: table.clone(),
                column: column.clone(),
            },
            "t.c a default",
        ),
        (TenantProblem::ColumnMissing { schema, table, column }, "older"),
        (TenantProblem::BadName("a b".to_owned()), "tenants_tenant"),
    ];
    for (problem, part) in cases {
        assert!(tenant(&problem).contains(part), "{problem}: {}", tenant(&problem));
    }
}

#[test]
fn every_way_for_a_database_not_to_open_has_its_advice() {
    let source = || io::Error::other("no").into();
    let unavailable = || OpenError::Unavailable { what: text(), source: source() };
    let config = || OpenError::Config { what: text(), source: source() };
    let table = [
        (unavailable(), "postgres://db/e", "running"),
        (unavailable(), "sqlite://d", "another program"),
        (OpenError::NotThere { folder: "d".into() }, "sqlite://d", "echodesk migrate"),
        (config(), "postgres://db/e", "DB_PASSWORD"),
        (config(), "sqlite://d", "files of sqlite://d"),
    ];
    for (error, url, part) in table {
        let advice = database(&error, &url.parse().unwrap());
        assert!(advice.contains(part), "{error:?}: {advice}");
    }
}

#[test]
fn a_damaged_file_of_a_tenant_is_no_matter_of_migrations() {
    let error = |kind| StoreError { kind, what: text(), source: None };
    let (sqlite, postgres) = ("sqlite://d".parse().unwrap(), "postgres://db/e".parse().unwrap());
    assert!(tables(&error(StoreErrorKind::Other), &sqlite).contains("backup"));
    assert_eq!(tables(&error(StoreErrorKind::Unavailable), &sqlite), TENANTS);
    assert_eq!(tables(&error(StoreErrorKind::Other), &postgres), TENANTS);
}
