//! `echodesk identity`: whose the database is.

use echodesk_core::{Difference, Identity};
use echodesk_job::{Needs, NoticeSettings, identity, run_record};
use echodesk_store::{Access, Binding, BoundIdentity};
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
    let is_own = args.moved || differences.iter().all(Difference::is_addition);
    if !is_own && !args.copy {
        let name = bound.map(|bound| bound.identity.environment).unwrap_or_default();
        let differences = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        return Err(CommandError::BoundElsewhere { name, differences });
    }
    if let Some(bound) = &bound {
        if differences.is_empty() && !args.copy && !args.moved {
            return Ok(Answer::done(format!("the database is bound to {} already\n", shown(&bound.identity))));
        }
        if is_own && !args.moved {
            // A host that reads mail only knows neither bank nor mail server; that does not unbind them.
            here.bank_client = here.bank_client.or_else(|| bound.identity.bank_client.clone());
            here.mail_host = here.mail_host.or_else(|| bound.identity.mail_host.clone());
        }
    }
    let binding = if args.copy { Binding::Copy } else { Binding::Own };
    let withdrawn = store.bind(&here, binding, &run_record::host(environment), world.clock.now())?;
    let mut text = format!("the database is bound to {}\n", shown(&here));
    if args.copy {
        text.push_str(&format!("{withdrawn} notices that waited in it were withdrawn\n"));
        text.push_str("charges that were open in it stay so: see `echodesk orders list`\n");
    }
    Ok(Answer::done(text))
}

pub(crate) fn show(world: &World, args: &ListArgs) -> Result<Answer, CommandError> {
    let notices = NoticeSettings::read(&world.settings)?;
    let store = world.store(Access::ReadOnly, Needs::Mail)?;
    let bound = store.identity()?;
    let differences =
        bound.as_ref().map(|bound| identity::compare(bound, &world.settings.environment, &notices)).unwrap_or_default();
    let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let text = if args.json { as_json(bound.as_ref(), &differences) } else { as_text(bound.as_ref(), &differences) };
    Ok(Answer::done(text).failed_if(bound.is_none() || !differences.is_empty()))
}

fn as_text(bound: Option<&BoundIdentity>, differences: &[String]) -> String {
    let Some(bound) = bound else {
        return "the database is not bound: set ECHODESK_ENVIRONMENT and run `echodesk identity bind`\n".to_owned();
    };
    let BoundIdentity { identity, bound_at, bound_by, .. } = bound;
    let mut text = format!("bound to {}, on {bound_at:.0} by {bound_by}\n", shown(identity));
    if differences.is_empty() {
        text.push_str("that is this installation\n");
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
                "same_database": bound.same_database,
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
    let bank = bank_client.as_ref().map_or_else(|| "no bank".to_owned(), |client| format!("bank client {client}"));
    let mail = mail_host.as_ref().map_or_else(|| "no mail server".to_owned(), |host| format!("mail server {host}"));
    format!("{environment:?} ({bank}, {mail})")
}
