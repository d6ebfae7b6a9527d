//! `echodesk notices list`.

use std::collections::VecDeque;

use echodesk_core::TenantId;
use echodesk_job::table::Table;
use echodesk_job::{Needs, tenant};
use echodesk_store::{Access, NoticeEntry, NoticeFilter, NoticeState, Store};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::NoticesListArgs;
use crate::command::World;
use crate::error::CommandError;

/// Characters of a reason that a row of the table has room for.
const LONGEST_REASON: usize = 100;
/// Rows read at a time.
const PAGE: usize = 1000;

pub(crate) fn list(world: &World, args: &NoticesListArgs) -> Result<Answer, CommandError> {
    let store = world.store(Access::ReadOnly, Needs::Mail)?;
    let tenant = args.tenant.as_ref().map(|schema| tenant::find(&store, schema)).transpose()?;
    let states = states(args);
    let newest = read(&store, &states, tenant.map(|tenant| tenant.id), args.limit.get())?;
    Ok(answer(args.json, &states, &newest))
}

/// Without a flag those that somebody may have to see to.
fn states(args: &NoticesListArgs) -> Vec<NoticeState> {
    let table = [
        (args.queued, NoticeState::Queued),
        (args.parked, NoticeState::Parked),
        (args.sent, NoticeState::Sent),
        (args.withdrawn, NoticeState::Withdrawn),
    ];
    let asked: Vec<NoticeState> = table.iter().filter(|(asked, _)| *asked).map(|(_, state)| *state).collect();
    if asked.is_empty() { vec![NoticeState::Queued, NoticeState::Parked] } else { asked }
}

/// The newest notices, oldest first, and how many older ones there are.
#[derive(Debug, Default)]
struct Newest {
    entries: VecDeque<NoticeEntry>,
    older: usize,
}

/// Memory is bounded by what is shown, however many there are.
fn read(store: &Store, states: &[NoticeState], tenant: Option<TenantId>, limit: usize) -> Result<Newest, CommandError> {
    let (mut newest, mut after) = (Newest::default(), None);
    loop {
        let page = store.notices(&NoticeFilter { states, tenant, after, limit: PAGE })?;
        after = page.last().map(|entry| entry.id);
        let is_last = page.len() < PAGE;
        newest.entries.extend(page);
        let too_many = newest.entries.len().saturating_sub(limit);
        newest.entries.drain(..too_many);
        newest.older += too_many;
        if is_last {
            return Ok(newest);
        }
    }
}

fn answer(as_json: bool, states: &[NoticeState], newest: &Newest) -> Answer {
    let rows: Vec<Value> = newest.entries.iter().map(as_row).collect();
    Answer::list(as_json, &rows, || as_table(states, newest))
}

fn as_row(entry: &NoticeEntry) -> Value {
    json!({
        "id": entry.id,
        "tenant": entry.schema,
        "kind": entry.kind,
        "about": entry.subject_key,
        "period": entry.period,
        "state": entry.state.code(),
        "attempts": entry.attempts,
        "not_before": entry.not_before,
        "sent_to": entry.sent_to,
        "why": entry.why,
        "decided_at": entry.decided_at,
        "closed_at": entry.closed_at,
        "worked_on_until": entry.claimed_until,
    })
}

fn as_table(states: &[NoticeState], newest: &Newest) -> String {
    if newest.entries.is_empty() {
        let states: Vec<&str> = states.iter().map(|state| state.code()).collect();
        return format!("no notice is {}\n", states.join(" or "));
    }
    let names = [">ID", "TENANT", "KIND", "ABOUT", "STATE", "DECIDED (UTC)", ">TRIED", "WHY"];
    let mut table = Table::new(&names);
    for entry in &newest.entries {
        table.row([
            entry.id.to_string(),
            entry.schema.clone().unwrap_or_else(|| "-".to_owned()),
            entry.kind.replace('_', " "),
            entry.subject_key.clone(),
            entry.state.code().to_owned(),
            shown(entry.decided_at),
            entry.attempts.to_string(),
            cut(&why(entry)),
        ]);
    }
    let mut text = table.to_string();
    if newest.older > 0 {
        text.push_str(&format!("… and {} older: --limit\n", newest.older));
    }
    text
}

/// What a person should know of it first.
fn why(entry: &NoticeEntry) -> String {
    let why = entry.why.clone().unwrap_or_default();
    match (entry.state, entry.not_before, &entry.sent_to, entry.closed_at) {
        (NoticeState::Queued, Some(at), ..) if why.is_empty() => format!("waits until {}", shown(at)),
        (NoticeState::Queued, Some(at), ..) => format!("until {}: {why}", shown(at)),
        (NoticeState::Sent, _, Some(to), Some(at)) => format!("{} to {to}", shown(at)),
        _ => why,
    }
}

fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// `--json` has all of it.
fn cut(reason: &str) -> String {
    if reason.chars().count() <= LONGEST_REASON {
        return reason.to_owned();
    }
    reason.chars().take(LONGEST_REASON - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use echodesk_core::NoticeId;

    use super::*;

    fn entry(id: i64, state: NoticeState) -> NoticeEntry {
        NoticeEntry {
            id: NoticeId(id),
            schema: Some("acme".to_owned()),
            kind: "urgent_reminder".to_owned(),
            subject_key: "subscription:7".to_owned(),
            period: "2026-11-25".to_owned(),
            state,
            attempts: 0,
            not_before: None,
            sent_to: None,
            why: None,
            decided_at: "2026-11-22T03:00:05Z".parse().unwrap(),
            closed_at: None,
            claimed_until: None,
        }
    }

    fn sample() -> Newest {
        let at = |text: &str| Some(text.parse().unwrap());
        let entries = [
            entry(7, NoticeState::Queued),
            NoticeEntry {
                attempts: 2,
                not_before: at("2026-11-22T04:00:05Z"),
                why: Some("451 4.7.1 greylisted".to_owned()),
                ..entry(8, NoticeState::Queued)
            },
            NoticeEntry {
                attempts: 1,
                why: Some("550 5.1.1 no such user".to_owned()),
                closed_at: at("2026-11-22T03:01:00Z"),
                ..entry(9, NoticeState::Parked)
            },
            NoticeEntry {
                attempts: 1,
                sent_to: Some("ana@acme.example".to_owned()),
                closed_at: at("2026-11-22T03:01:00Z"),
                ..entry(10, NoticeState::Sent)
            },
            NoticeEntry { schema: None, why: Some("ბ".repeat(101)), ..entry(11, NoticeState::Withdrawn) },
        ];
        Newest { entries: entries.into(), older: 3 }
    }

    #[test]
    fn notices_are_listed_with_what_a_person_needs() {
        insta::assert_snapshot!(answer(false, &NoticeState::ALL, &sample()).text);
    }

    #[test]
    fn machines_get_every_field() {
        let rows: Value = serde_json::from_str(&answer(true, &NoticeState::ALL, &sample()).text).unwrap();
        assert_eq!((&rows[0]["id"], &rows[0]["about"]), (&json!(7), &json!("subscription:7")));
        assert_eq!((&rows[1]["attempts"], &rows[1]["not_before"]), (&json!(2), &json!("2026-11-22T04:00:05Z")));
        assert_eq!((&rows[2]["state"], &rows[2]["why"]), (&json!("parked"), &json!("550 5.1.1 no such user")));
        assert_eq!((&rows[3]["sent_to"], &rows[4]["tenant"]), (&json!("ana@acme.example"), &Value::Null));
    }

    #[test]
    fn an_empty_list_says_of_what() {
        let open = [NoticeState::Queued, NoticeState::Parked];
        assert_eq!(answer(false, &open, &Newest::default()).text, "no notice is queued or parked\n");
        assert_eq!(answer(true, &open, &Newest::default()).text, "[]\n");
    }
}
