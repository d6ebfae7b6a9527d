//! `echodesk check`: facts first, each with a verdict and a remedy; text and JSON are made of them.

mod attachments;
mod database;
mod email;
mod finding;
mod keys;
mod mailboxes;
mod remedy;

use std::sync::Arc;

use echodesk_job::{mail, one_line};
use echodesk_mail::ports::MailServer;
use echodesk_store::Store;

use crate::answer::Answer;
use crate::cli::CheckArgs;
use crate::command::World;
use finding::Finding;

pub(crate) fn run(world: &World, args: &CheckArgs) -> Answer {
    let mut findings = Vec::new();
    let store = database::open(&world.settings.database, &mut findings);
    if let Some(store) = &store {
        // Who has not set up payments may only look after mail, with a user who may do no more.
        let is_billed = world.settings.environment.get("BOG_CLIENT_ID").is_some();
        let scope = database::Scope { tenant: args.tenant.as_ref(), is_billed };
        findings.extend(database::tables(store, &world.settings.database, scope));
    }
    findings.extend(keys::check(&world.settings.environment));
    findings.push(email::check(world));
    // Without the embedded database there is no folder yet for its attachments, and a check makes none.
    if store.is_some() || !world.settings.database.is_embedded() {
        findings.push(attachments::check(world, &args.mail));
    }
    if let Some(store) = &store {
        // A tenant whose tables are wrong has been told of; its mailboxes could only say so again.
        let told: Vec<String> = findings.iter().map(|finding| finding.subject.clone()).collect();
        let more = all_mailboxes(world, args, store).into_iter();
        findings.extend(more.filter(|finding| finding.check != "tenant" || !told.contains(&finding.subject)));
    }
    finding::answer(args.json, &findings)
}

fn all_mailboxes(world: &World, args: &CheckArgs, store: &Store) -> Vec<Finding> {
    let server: Arc<dyn MailServer> = match args.mail.server(&world.settings, Arc::clone(&world.clock)) {
        Ok(server) => Arc::new(server),
        Err(error) => return vec![Finding::failed("settings", "mail servers", one_line(&error), remedy::CA_FILE)],
    };
    let tenants = match crate::mailbox::of_tenants(store, args.tenant.as_ref()) {
        Ok(tenants) => tenants,
        Err(error) => return vec![Finding::failed("mailboxes", "", one_line(&error), remedy::TENANTS)],
    };
    let keys = mail::credential_keys(&world.settings.environment);
    let probe = mailboxes::Probe { server: server.as_ref(), keys: &keys, clock: world.clock.as_ref() };
    mailboxes::check(&probe, tenants, args.tenant.is_some(), args.jobs)
}
