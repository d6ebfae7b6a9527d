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
use finding::Finding;

pub(crate) fn run(world: &World, args: &CheckArgs) -> Answer {
    let environment = &world.settings.environment;
    let mut findings = settings::check(environment);
    let store = database::open(&world.settings.database, &mut findings);
    if let Some(store) = &store {
        // Who has not set up payments may only look after mail, with a user who may do no more.
        let is_billed = environment.get("BOG_CLIENT_ID").is_some();
        let scope = database::Scope { tenant: args.tenant.as_ref(), is_billed };
        findings.extend(database::tables(store, &world.settings.database, scope));
        findings.extend(clock::check(store, world.clock.as_ref()));
        findings.extend(settings::exempt(store, environment));
        findings.extend(identity::check(store, &world.settings));
        findings.extend(jobs::check(store, environment, world.clock.as_ref()));
    }
    findings.extend(keys::check(environment));

    let mailboxes = store.as_ref().filter(|_| !args.offline).map(|store| of_tenants(store, args));
    let reach = Reach { offline: args.offline, clock: Arc::clone(&world.clock) };
    let told: Vec<String> = findings.iter().map(|finding| finding.subject.clone()).collect();
    let mut parts: Vec<Part<'_>> = vec![
        Box::new(|| bank::check(&world.settings, &reach)),
        Box::new(|| web_hook::check(environment, &reach)),
        Box::new(|| vec![email::check(world, &reach, store.is_some())]),
    ];
    // Without the embedded database there is no folder yet for its attachments, and a check makes none.
    if store.is_some() || !world.settings.database.is_embedded() {
        parts.push(Box::new(|| vec![attachments::check(world, &args.mail, &reach)]));
    }
    world.terminal.show(&progress(&mailboxes));
    match mailboxes {
        Some(Ok(tenants)) => parts.push(Box::new(|| {
            // A tenant whose tables are wrong has been told of; its mailboxes could only say so again.
            let found = all_mailboxes(world, args, tenants).into_iter();
            found.filter(|finding| finding.check != "tenant" || !told.contains(&finding.subject)).collect()
        })),
        Some(Err(finding)) => parts.push(Box::new(|| vec![*finding])),
        None => {}
    }
    findings.extend(far::all(parts));
    world.terminal.show("");
    finding::answer(args.json, &findings)
}

/// What can be told where the settings do not say which database is meant.
pub(crate) fn without_database(error: &SettingsError, environment: &Environment, args: &CheckArgs) -> Answer {
    let mut findings = settings::check(environment);
    findings.push(Finding::failed("database", "", one_line(error), remedy::DATABASE_SETTINGS));
    findings.extend(keys::check(environment));
    finding::answer(args.json, &findings)
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
