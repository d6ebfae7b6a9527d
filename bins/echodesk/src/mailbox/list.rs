//! `echodesk mailbox list`.

use echodesk_job::Needs;
use echodesk_job::table::Table;
use echodesk_mail::model::{Mailbox, Security};
use echodesk_mail::ports::TenantMailboxes;
use echodesk_store::Access;
use serde_json::{Value, json};

use super::of_tenants;
use crate::answer::Answer;
use crate::cli::MailboxListArgs;
use crate::command::World;
use crate::error::CommandError;

/// Characters of an error that a row of the table has room for.
const LONGEST_ERROR: usize = 60;

pub(crate) fn list(world: &World, args: &MailboxListArgs) -> Result<Answer, CommandError> {
    let store = world.store(Access::ReadOnly, Needs::Mail)?;
    let tenants = of_tenants(&store, args.tenant.as_ref())?;
    Ok(answer(args.json, &tenants))
}

/// A tenant whose mailboxes cannot be read is told in the list, and makes the exit code 1.
fn answer(as_json: bool, tenants: &[TenantMailboxes]) -> Answer {
    let rows: Vec<Value> = tenants.iter().flat_map(as_rows).collect();
    let failed = tenants.iter().any(|tenant| tenant.mailboxes.is_err());
    Answer::list(as_json, &rows, || as_text(tenants)).failed_if(failed)
}

fn as_rows(tenant: &TenantMailboxes) -> Vec<Value> {
    let schema = &tenant.tenant.schema;
    match &tenant.mailboxes {
        Ok((_, mailboxes)) => mailboxes.iter().map(as_row).collect(),
        Err(problem) => vec![json!({ "tenant": schema, "problem": problem.to_string() })],
    }
}

fn as_row(mailbox: &Mailbox) -> Value {
    json!({
        "tenant": mailbox.key.schema,
        "id": mailbox.key.connection,
        "address": mailbox.address,
        "imap_host": mailbox.endpoint.host,
        "imap_port": mailbox.endpoint.port,
        "starttls": mailbox.endpoint.security == Security::StartTls,
        "username": mailbox.username,
        "folder": mailbox.sync_folder,
        "days_back": mailbox.days_back,
        "active": mailbox.is_active,
        "last_sync_at": mailbox.last_sync_at,
        "failures": mailbox.failure_count,
        "last_error": mailbox.last_error,
    })
}

fn as_text(tenants: &[TenantMailboxes]) -> String {
    let names = ["MAILBOX", "ADDRESS", "SERVER", "STATE", "LAST SYNC (UTC)", ">FAILURES", "LAST ERROR"];
    let mut table = Table::new(&names);
    let mut problems = String::new();
    for tenant in tenants {
        match &tenant.mailboxes {
            Ok((_, mailboxes)) => mailboxes.iter().for_each(|mailbox| table.row(cells(mailbox))),
            Err(problem) => problems.push_str(&format!("tenant {}: {problem}\n", tenant.tenant.schema)),
        }
    }
    let listed = match (table.is_empty(), problems.is_empty()) {
        (true, true) => "no mailboxes; `echodesk mailbox add` adds one\n".to_owned(),
        (true, false) => String::new(),
        (false, _) => table.to_string(),
    };
    listed + &problems
}

fn cells(mailbox: &Mailbox) -> [String; 7] {
    let last_sync = mailbox.last_sync_at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
    [
        mailbox.key.to_string(),
        mailbox.address.clone(),
        mailbox.endpoint.to_string(),
        if mailbox.is_active { "on" } else { "switched off" }.to_owned(),
        last_sync,
        mailbox.failure_count.to_string(),
        cut(&mailbox.last_error),
    ]
}

/// Servers may write a page; `--json` has all of it.
fn cut(error: &str) -> String {
    if error.chars().count() <= LONGEST_ERROR {
        return error.to_owned();
    }
    error.chars().take(LONGEST_ERROR - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use echodesk_core::{ConnectionId, Language, Secret, Tenant, TenantId};
    use echodesk_job::ExitStatus;
    use echodesk_mail::model::{ColumnLimits, Endpoint, MailboxKey};
    use echodesk_mail::ports::TenantProblem;

    use super::*;

    fn tenant(schema: &str, mailboxes: Result<Vec<Mailbox>, TenantProblem>) -> TenantMailboxes {
        let tenant = Tenant {
            id: TenantId(1),
            schema: schema.parse().unwrap(),
            name: schema.to_owned(),
            admin_email: "a@b.c".to_owned(),
            admin_name: String::new(),
            language: Language::En,
            is_active: true,
        };
        TenantMailboxes { tenant, mailboxes: mailboxes.map(|mailboxes| (ColumnLimits::default(), mailboxes)) }
    }

    fn mailbox(id: i64) -> Mailbox {
        Mailbox {
            key: MailboxKey { schema: "acme".parse().unwrap(), connection: ConnectionId(id) },
            address: format!("box{id}@acme.example"),
            endpoint: Endpoint { host: "imap.acme.example".to_owned(), port: 993, security: Security::Tls },
            username: "box".to_owned(),
            stored_password: Secret::new("hunter2:signature"),
            sync_folder: "INBOX".to_owned(),
            days_back: 365,
            is_active: true,
            last_sync_at: None,
            last_error: String::new(),
            failure_count: 0,
        }
    }

    fn sample() -> Vec<TenantMailboxes> {
        let mut off = mailbox(2);
        off.is_active = false;
        off.last_sync_at = Some("2026-11-22T10:00:00.25Z".parse().unwrap());
        off.last_error = "the server refused to log in".to_owned();
        let missing = TenantProblem::SchemaMissing { schema: "ghost".to_owned() };
        vec![tenant("acme", Ok(vec![mailbox(1), off])), tenant("ghost", Err(missing))]
    }

    #[test]
    fn mailboxes_are_listed_with_their_state() {
        let answer = answer(false, &sample());
        insta::assert_snapshot!(answer.text);
        assert_eq!(answer.status, ExitStatus::DoneWithFailures, "a tenant could not be read");
    }

    #[test]
    fn no_password_is_ever_listed() {
        for as_json in [false, true] {
            assert!(!answer(as_json, &sample()).text.contains("hunter2"));
        }
    }

    #[test]
    fn a_long_error_is_cut_in_the_table_and_whole_in_json() {
        let with = |error: String| {
            let mailbox = Mailbox { last_error: error, ..mailbox(1) };
            let tenants = [tenant("acme", Ok(vec![mailbox]))];
            (answer(false, &tenants).text, answer(true, &tenants).text)
        };
        let (fits, long) = ("ა".repeat(60), "ბ".repeat(61));
        assert!(with(fits.clone()).0.ends_with(&format!("  {fits}\n")));
        let (table, json) = with(long.clone());
        assert!(table.ends_with(&format!("  {}…\n", "ბ".repeat(59))), "{table}");
        assert!(json.contains(&long));
    }

    #[test]
    fn machines_get_every_field() {
        let rows: Value = serde_json::from_str(&answer(true, &sample()).text).unwrap();
        assert_eq!(rows[1]["active"], false);
        assert_eq!(rows[1]["last_sync_at"], "2026-11-22T10:00:00.25Z");
        assert_eq!(rows[0]["last_sync_at"], Value::Null);
        assert_eq!(rows[2]["problem"], "schema ghost does not exist");
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        assert!(answer(false, &[tenant("acme", Ok(vec![]))]).text.starts_with("no mailboxes"));
    }
}
