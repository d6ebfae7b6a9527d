//! `echodesk orders list`.

use echodesk_billing::model::Attempt;
use echodesk_billing::rules::refusal::meaning;
use echodesk_core::{AttemptId, TenantId};
use echodesk_job::table::Table;
use echodesk_job::{Needs, tenant};
use echodesk_store::{Access, LedgerEntry, LedgerFilter, Store};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::OrdersListArgs;
use crate::command::World;
use crate::error::CommandError;

/// Characters of a reason that a row of the table has room for.
const LONGEST_REASON: usize = 80;
/// Rows read at a time.
const PAGE: usize = 1000;

pub(crate) fn list(world: &World, args: &OrdersListArgs) -> Result<Answer, CommandError> {
    let store = world.store(Access::ReadOnly, Needs::Billing)?;
    let tenant = args.tenant.as_ref().map(|schema| tenant::find(&store, schema)).transpose()?;
    let filter = filter(args);
    let entries = read(&store, filter, tenant.map(|tenant| tenant.id))?;
    Ok(answer(args.json, filter, &entries))
}

fn filter(args: &OrdersListArgs) -> LedgerFilter {
    match (args.open, args.unknown, args.all) {
        (true, ..) => LedgerFilter::Open,
        (_, true, _) => LedgerFilter::Unknown,
        (.., true) => LedgerFilter::All,
        _ => LedgerFilter::OpenOrInTrouble,
    }
}

fn read(store: &Store, filter: LedgerFilter, tenant: Option<TenantId>) -> Result<Vec<LedgerEntry>, CommandError> {
    let (mut entries, mut after): (Vec<LedgerEntry>, Option<AttemptId>) = (Vec::new(), None);
    loop {
        let page = store.ledger(filter, tenant, after, PAGE)?;
        after = page.last().map(|entry| entry.attempt.id);
        let is_last = page.len() < PAGE;
        entries.extend(page);
        if is_last {
            return Ok(entries);
        }
    }
}

fn answer(as_json: bool, filter: LedgerFilter, entries: &[LedgerEntry]) -> Answer {
    let rows: Vec<Value> = entries.iter().map(as_row).collect();
    Answer::list(as_json, &rows, || as_table(filter, entries))
}

fn as_row(entry: &LedgerEntry) -> Value {
    let attempt = &entry.attempt;
    json!({
        "order": attempt.order,
        "tenant": attempt.schema,
        "subscription": attempt.subscription,
        "amount": format!("{:.2}", attempt.amount.amount()),
        "currency": attempt.amount.currency().to_string(),
        "period": attempt.period,
        "attempt": attempt.number,
        "state": attempt.state,
        "card": attempt.parent,
        "bank_order": attempt.bank_order,
        "since": attempt.prepared_at,
        "closed_at": entry.closed_at,
        "settled_by": entry.settled_by,
        "because": entry.because,
        "worked_on_until": entry.claimed_until,
        "refusal": refusal(attempt),
        "last_error": attempt.last_error,
        "trouble": attempt.trouble,
    })
}

fn as_table(filter: LedgerFilter, entries: &[LedgerEntry]) -> String {
    if entries.is_empty() {
        return match filter {
            LedgerFilter::OpenOrInTrouble => "no order is open or in trouble\n",
            LedgerFilter::Open => "no order is open\n",
            LedgerFilter::Unknown => "no order is unknown to have been charged or not\n",
            LedgerFilter::All => "no orders\n",
        }
        .to_owned();
    }
    let names = ["ORDER", "TENANT", ">AMOUNT", "PERIOD", ">ATTEMPT", "STATE", "BANK'S ORDER", "SINCE (UTC)", "WHY"];
    let mut table = Table::new(&names);
    for entry in entries {
        let attempt = &entry.attempt;
        table.row([
            attempt.order.to_string(),
            attempt.schema.to_string(),
            attempt.amount.to_string(),
            attempt.period.strftime("%Y-%m-%d").to_string(),
            attempt.number.to_string(),
            attempt.state.code().replace('_', " "),
            attempt.bank_order.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            format!("{:.0}", attempt.prepared_at),
            cut(&why(attempt)),
        ]);
    }
    table.to_string()
}

/// What a person should know first.
fn why(attempt: &Attempt) -> String {
    if let Some(trouble) = &attempt.trouble {
        return format!("TROUBLE: {trouble}");
    }
    refusal(attempt).or_else(|| attempt.last_error.clone()).unwrap_or_default()
}

fn refusal(attempt: &Attempt) -> Option<String> {
    attempt.refusal.as_ref().map(|refusal| meaning(refusal).words)
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
    use echodesk_billing::model::{AttemptState, BankOrderId, Refusal};

    use super::super::resolution::tests::entry;
    use super::*;

    fn sample() -> Vec<LedgerEntry> {
        let mut accepted = entry(AttemptState::Accepted);
        accepted.attempt.bank_order = Some(BankOrderId("b-2".to_owned()));
        let mut unknown = entry(AttemptState::Unknown);
        unknown.attempt.last_error = Some("no answer within 30s".to_owned());
        let mut troubled = entry(AttemptState::Failed);
        troubled.attempt.refusal = Some(Refusal::Rejected { code: Some("107".to_owned()), reason: None });
        troubled.attempt.trouble = Some("paid although it had failed".to_owned());
        let mut failed = troubled.clone();
        failed.attempt.trouble = None;
        vec![accepted, unknown, troubled, failed]
    }

    #[test]
    fn orders_are_listed_with_what_a_person_needs() {
        insta::assert_snapshot!(answer(false, LedgerFilter::All, &sample()).text);
    }

    #[test]
    fn machines_get_every_field() {
        let rows: Value = serde_json::from_str(&answer(true, LedgerFilter::All, &sample()).text).unwrap();
        assert_eq!(rows[0]["bank_order"], "b-2");
        assert_eq!((&rows[0]["amount"], &rows[0]["currency"]), (&json!("50.00"), &json!("GEL")));
        assert_eq!((&rows[1]["state"], &rows[1]["closed_at"]), (&json!("unknown"), &Value::Null));
        assert_eq!(rows[2]["trouble"], "paid although it had failed");
        assert_eq!(rows[3]["refusal"], "not enough money (code 107)");
        assert_eq!(rows[3]["period"], "2026-11-25T00:00:00Z");
    }

    #[test]
    fn an_empty_list_says_of_what() {
        assert_eq!(answer(false, LedgerFilter::Open, &[]).text, "no order is open\n");
        assert_eq!(answer(true, LedgerFilter::Open, &[]).text, "[]\n");
    }

    #[test]
    fn a_long_reason_is_cut_in_the_table() {
        let mut entry = entry(AttemptState::Unknown);
        entry.attempt.last_error = Some("ბ".repeat(81));
        assert!(answer(false, LedgerFilter::All, &[entry]).text.ends_with(&format!("  {}…\n", "ბ".repeat(79))));
    }
}
