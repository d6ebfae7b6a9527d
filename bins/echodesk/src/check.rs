//! `echodesk check`: facts first, each with a verdict and a remedy; text and JSON are made of them.

mod attachments;
mod bank;
mod clock;
mod database;
mod email;
mod far;
mod finding;
mod identity;
mod jobs;
mod keys;
mod mailboxes;
mod remedy;
mod settings;
mod web_hook;

use std::sync::Arc;

use echodesk_core::Environment;
use echodesk_job::{SettingsError, mail, one_line};
use echodesk_mail::ports::{MailServer, TenantMailboxes};
use echodesk_store::Store;

use crate::answer::Answer;
use crate::cli::CheckArgs;
use crate::command::World;
use far::{Part, Reach};
use finding::{Finding, Verdict};

pub(crate) fn run(world: &World, args: &CheckArgs) -> Answer {
    let environment = &world.settings.environment;
    let mut findings = settings::check(environment);
    let store = database::open(&world.settings.database, &mut findings);
    if let Some(store) = &store {
        // Who has not set up payments may only look after mail, with a user who may do no more.
        let is_billed = environment.get("BOG_CLIENT_ID").is_some();
        let scope = database::Scope { tenant: args.tenant.as_ref(), is_billed };
        let tables = database::tables(store, &world.settings.database, scope);
        // What cannot be read then is no finding of its own.
        let are_wrong = tables.iter().any(|finding| finding.verdict != Verdict::Ok);
        findings.extend(tables);
        findings.extend(clock::check(store, world.clock.as_ref()));
        findings.extend(settings::exempt(store, environment));
        findings.push(identity::check(store, environment, are_wrong));
        findings.extend(jobs::check(store, environment, world.clock.as_ref(), are_wrong));
    } else {
        findings.extend(left_out(&OF_DATABASE, NOT_OPENED));
    }
    findings.extend(keys::check(environment));

    let mailboxes = store.as_ref().filter(|_| !args.offline).map(|store| of_tenants(store, args));
    let reach = Reach { offline: args.offline, clock: Arc::clone(&world.clock) };
    let told: Vec<String> = findings.iter().map(|finding| finding.subject.clone()).collect();
    let mut parts: Vec<Part<'_>> = vec![
        Box::new(|| bank::check(&world.settings, &reach)),
        Box::new(|| web_hook::check(environment, &reach)),
        Box::new(|| email::check(world, &reach, store.is_some())),
    ];
    // Without the embedded database there is no folder yet for its attachments, and a check makes none.
    if store.is_some() || !world.settings.database.is_embedded() {
        parts.push(Box::new(|| vec![attachments::check(world, &args.mail, &reach)]));
    } else {
        parts.push(Box::new(|| left_out(&["attachments"], NOT_OPENED)));
    }
    world.terminal.show(&progress(&mailboxes));
    match mailboxes {
        Some(Ok(tenants)) => parts.push(Box::new(|| {
            // A tenant whose tables are wrong has been told of; its mailboxes could only say so again.
            let found = all_mailboxes(world, args, tenants).into_iter();
            found.filter(|finding| finding.check != "tenant" || !told.contains(&finding.subject)).collect()
        })),
        Some(Err(finding)) => parts.push(Box::new(|| vec![*finding])),
        None if args.offline => {
            parts.push(Box::new(|| vec![Finding::ok("mailboxes", "", "not looked at, because of --offline")]));
        }
        None => parts.push(Box::new(|| left_out(&["mailboxes"], NOT_OPENED))),
    }
    findings.extend(far::all(parts));
    world.terminal.show("");
    finding::answer(args.json, &findings)
}

/// What can be told where the settings do not say which database is meant.
pub(crate) fn without_database(error: &SettingsError, environment: &Environment, args: &CheckArgs) -> Answer {
    let mut findings = settings::check(environment);
    findings.push(Finding::failed("database", "", one_line(error), remedy::DATABASE_SETTINGS));
    findings.extend(left_out(&OF_DATABASE, NOT_NAMED));
    findings.extend(keys::check(environment));
    findings.extend(left_out(&["bank", "callback", "email", "attachments", "mailboxes"], NOT_NAMED));
    finding::answer(args.json, &findings)
}

/// What only the database tells.
const OF_DATABASE: [&str; 3] = ["tables", "identity", "job"];
const NOT_OPENED: &str = "the database cannot be opened";
const NOT_NAMED: &str = "the settings name no database that can be used";

/// A line each, so that nobody takes silence for a good sign.
fn left_out(checks: &[&'static str], because: &str) -> Vec<Finding> {
    checks.iter().map(|check| Finding::not_looked_at(check, "", because)).collect()
}

type Mailboxes = Result<Vec<TenantMailboxes>, Box<Finding>>;

fn of_tenants(store: &Store, args: &CheckArgs) -> Mailboxes {
    crate::mailbox::of_tenants(store, args.tenant.as_ref())
        .map_err(|error| Box::new(Finding::failed("mailboxes", "", one_line(&error), remedy::TENANTS)))
}

/// What is being waited for; shown on a terminal only.
fn progress(mailboxes: &Option<Mailboxes>) -> String {
    let tenants = mailboxes.iter().flatten().flatten();
    let count: usize = tenants.filter_map(|tenant| tenant.mailboxes.as_ref().ok()).map(|(_, found)| found.len()).sum();
    match count {
        0 => "checking…".to_owned(),
        1 => "checking bank, mail server and 1 mailbox…".to_owned(),
        count => format!("checking bank, mail server and {count} mailboxes…"),
    }
}

fn all_mailboxes(world: &World, args: &CheckArgs, tenants: Vec<TenantMailboxes>) -> Vec<Finding> {
    let limits = mailboxes::limits();
    let server: Arc<dyn MailServer> = match args.mail.server_by(limits, &world.settings, Arc::clone(&world.clock)) {
        Ok(server) => Arc::new(server),
        Err(error) => return vec![Finding::failed("settings", "mail servers", one_line(&error), remedy::CA_FILE)],
    };
    let keys = mail::credential_keys(&world.settings.environment);
    let probe = mailboxes::Probe { server: server.as_ref(), keys: &keys, clock: world.clock.as_ref() };
    mailboxes::check(&probe, tenants, args.tenant.is_some(), args.jobs)
}
