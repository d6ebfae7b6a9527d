//! `echodesk identity`: whose the database is.

use echodesk_core::{Difference, Identity};
use echodesk_job::{Needs, NoticeSettings, identity, run_record};
use echodesk_store::{Access, Binding, BoundIdentity, DatabaseMatch};
use serde_json::json;

use crate::answer::Answer;
use crate::cli::{IdentityBindArgs, ListArgs};
use crate::command::World;
use crate::error::CommandError;

pub(crate) fn bind(world: &World, args: &IdentityBindArgs) -> Result<Answer, CommandError> {
    let environment = &world.settings.environment;
    let notices = NoticeSettings::read(&world.settings)?;
    let mut here = identity::here(environment, &notices)?;
    let store = world.store(Access::ReadWrite, Needs::Mail)?;
    let bound = store.identity()?;
    let differences = bound.as_ref().map(|bound| identity::compare(bound, environment, &notices)).unwrap_or_default();
    let binding = match &bound {
        Some(bound) => how(args, bound, &here, &differences)?,
        None if args.copy => Binding::Copy,
        None => Binding::Own,
    };
    if let Some(bound) = bound.filter(|_| binding != Binding::Copy) {
        if differences.is_empty() && bound.database != DatabaseMatch::Unknown && !args.moved {
            return Ok(Answer::done(format!("the database is bound to {} already\n", shown(&bound.identity))));
        }
        // A host that reads mail only knows neither bank nor mail server; that does not unbind them.
        here.bank_client = here.bank_client.or(bound.identity.bank_client);
        here.mail_host = here.mail_host.or(bound.identity.mail_host);
    }
    let withdrawn = store.bind(&here, binding, &run_record::host(environment), world.clock.now())?;
    let mut text = format!("the database is bound to {}\n", shown(&here));
    if binding == Binding::Copy {
        let noun = if withdrawn == 1 { "notice that waited in it was" } else { "notices that waited in it were" };
        text.push_str(&format!("{withdrawn} {noun} withdrawn\n"));
        text.push_str("charges that were open in it stay so: see `echodesk orders list`\n");
    }
    if store.identity()?.is_some_and(|bound| bound.database == DatabaseMatch::Unknown) {
        text.push_str(not_compared(world));
    }
    Ok(Answer::done(text))
}

/// What to say where nobody can tell whether it is the database that was bound.
fn not_compared(world: &World) -> &'static str {
    if world.settings.database.is_embedded() {
        return "which file was bound is not known: bind again, so that a copy of it is recognised\n";
    }
    "the server does not tell its identifier, so a copy under these very settings is not recognised: grant EXECUTE on \
     pg_catalog.pg_control_system() and bind again\n"
}

/// What binding means, as far as what was said fits what is there.
fn how(
    args: &IdentityBindArgs,
    bound: &BoundIdentity,
    here: &Identity,
    differences: &[Difference],
) -> Result<Binding, CommandError> {
    let name = || bound.identity.environment.clone();
    if here.bank_client.is_some() && here.bank_client == bound.copied_bank_client && !args.moved {
        return Err(CommandError::SameBank { name: "the installation that this was copied from".to_owned() });
    }
    if args.copy {
        if differences.is_empty() {
            return Err(CommandError::NoCopy { name: name() });
        }
        // It would charge the cards that are charged there already.
        if here.bank_client.is_some() && here.bank_client == bound.identity.bank_client {
            return Err(CommandError::SameBank { name: name() });
        }
        return Ok(Binding::Copy);
    }
    if args.moved {
        return Ok(Binding::Own);
    }
    if differences.iter().all(Difference::is_addition) {
        return Ok(Binding::Addition);
    }
    let differences = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Err(CommandError::BoundElsewhere { name: name(), differences })
}

pub(crate) fn show(world: &World, args: &ListArgs) -> Result<Answer, CommandError> {
    let notices = NoticeSettings::read(&world.settings)?;
    let store = world.store(Access::ReadOnly, Needs::Mail)?;
    let bound = store.identity()?;
    let differences =
        bound.as_ref().map(|bound| identity::compare(bound, &world.settings.environment, &notices)).unwrap_or_default();
    let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let text =
        if args.json { as_json(bound.as_ref(), &differences) } else { as_text(world, bound.as_ref(), &differences) };
    Ok(Answer::done(text).failed_if(bound.is_none() || !differences.is_empty()))
}

fn as_text(world: &World, bound: Option<&BoundIdentity>, differences: &[String]) -> String {
    let Some(bound) = bound else {
        return "the database is not bound: set ECHODESK_ENVIRONMENT and run `echodesk identity bind`\n".to_owned();
    };
    let BoundIdentity { identity, bound_at, .. } = bound;
    let bound_by = flat(&bound.bound_by);
    let mut text = format!("bound to {}, on {bound_at:.0} by {bound_by}\n", shown(identity));
    if differences.is_empty() {
        text.push_str("that is this installation\n");
    }
    if bound.database == DatabaseMatch::Unknown {
        text.push_str(not_compared(world));
    }
    for difference in differences {
        text.push_str(&format!("NOT this installation: {difference}\n"));
    }
    text
}

fn as_json(bound: Option<&BoundIdentity>, differences: &[String]) -> String {
    let value = match bound {
        None => json!({ "bound": null, "differences": [] }),
        Some(bound) => json!({
            "bound": {
                "environment": bound.identity.environment,
                "bank_client": bound.identity.bank_client,
                "mail_host": bound.identity.mail_host,
                "same_database": match bound.database {
                    DatabaseMatch::Same => Some(true),
                    DatabaseMatch::Other => Some(false),
                    DatabaseMatch::Unknown => None,
                },
                "bound_at": bound.bound_at,
                "bound_by": bound.bound_by,
            },
            "differences": differences,
        }),
    };
    format!("{value:#}\n")
}

fn shown(identity: &Identity) -> String {
    let Identity { environment, bank_client, mail_host } = identity;
    let bank =
        bank_client.as_ref().map_or_else(|| "no bank".to_owned(), |client| format!("bank client {}", flat(client)));
    let mail =
        mail_host.as_ref().map_or_else(|| "no mail server".to_owned(), |host| format!("mail server {}", flat(host)));
    format!("{environment:?} ({bank}, {mail})")
}

/// What is read from a database cannot make a line of its own.
fn flat(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}
