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
        (MailServerError::Tls { endpoint: text(), problem: text() }, "--ca-file"),
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
fn only_who_does_not_use_starttls_is_told_of_it() {
    let error = MailServerError::Tls { endpoint: text(), problem: text() };
    assert!(mail_server(&error, &endpoint(Security::Tls)).contains("STARTTLS"));
    assert!(!mail_server(&error, &endpoint(Security::StartTls)).contains("STARTTLS"));
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
    let table = [
        (OpenError::Unavailable { what: text(), source: source() }, "running"),
        (OpenError::NotThere { folder: "d".into() }, "echodesk migrate"),
        (OpenError::Config { what: text(), source: source() }, "DATABASE_URL"),
    ];
    for (error, part) in table {
        assert!(database(&error).contains(part), "{error}");
    }
}
