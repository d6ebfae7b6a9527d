//! A forecast for people.

use std::fmt::Write as _;

use echodesk_job::table::Table;

use super::tally::{Tally, Totals};
use super::{CANNOT_KNOW, Forecast, words};
use crate::refusals::{self, Refusal};

pub(super) fn of(forecast: &Forecast) -> String {
    let tally = &forecast.tally;
    let mut text = refused(forecast);
    if tally.days.is_empty() {
        text.push_str("nothing to charge, to send or to suspend\n");
    } else if tally.left_out > 0 {
        let _ = writeln!(text, "{} events are too many to list; --tenant or fewer --days show them\n", tally.left_out);
        let _ = writeln!(text, "{}", days(tally));
    } else {
        let _ = writeln!(text, "{}\n{}", events(tally), days(tally));
    }
    let _ = writeln!(text, "{}", summary(forecast));
    let _ = writeln!(text, "A forecast cannot know:\n  {}", CANNOT_KNOW.join("\n  "));
    text
}

/// First of all: who reads only the table must not believe that it happens.
fn refused(forecast: &Forecast) -> String {
    if forecast.refusals.is_empty() {
        return String::new();
    }
    let jobs = refusals::jobs(&forecast.refusals).join(" and ");
    let mut text = format!("REFUSED HERE: {jobs} would not start, and of what follows would do nothing:\n");
    for Refusal { job, why } in &forecast.refusals {
        let _ = writeln!(text, "  {job}: {why}");
    }
    text.push('\n');
    text
}

fn events(tally: &Tally) -> Table {
    let mut table = Table::new(&["DAY (UTC)", "TIME", "TENANT", "WHAT"]);
    for row in &tally.events {
        let at = row.event.at;
        table.row([
            at.strftime("%Y-%m-%d").to_string(),
            at.strftime("%H:%M").to_string(),
            row.tenant.to_string(),
            words::of(&row.event.what),
        ]);
    }
    table
}

fn days(tally: &Tally) -> Table {
    let names =
        ["DAY (UTC)", ">CHARGES", ">AMOUNT", ">MAILS", ">SUSPENDED", ">ACTIVE AGAIN", ">NOT CHARGED", ">WITHHELD"];
    let mut table = Table::new(&names);
    for (day, totals) in &tally.days {
        add(&mut table, day.to_string(), totals);
    }
    add(&mut table, "total".to_owned(), &tally.totals);
    table
}

fn add(table: &mut Table, name: String, totals: &Totals) {
    table.row([
        name,
        totals.charges.to_string(),
        totals.money(),
        totals.all_mails().to_string(),
        totals.suspensions.to_string(),
        totals.reactivations.to_string(),
        totals.not_charged.to_string(),
        totals.withheld.to_string(),
    ]);
}

fn summary(forecast: &Forecast) -> String {
    let assumed = forecast.plan.assumption.code();
    let totals = &forecast.tally.totals;
    let days = many(u64::from(forecast.plan.days), "day");
    let mut text = format!("{days} from {:.0} on, if each charge is {assumed}: ", forecast.from);
    text.push_str(&many(totals.charges, "charge"));
    if totals.charges > 0 {
        let _ = write!(text, " ({})", totals.money());
    }
    let _ = write!(text, ", {}", many(totals.all_mails(), "mail"));
    let kinds: Vec<String> =
        totals.mails.iter().map(|(kind, count)| format!("{count} {}", kind.replace('_', " "))).collect();
    if !kinds.is_empty() {
        let _ = write!(text, " ({})", kinds.join(", "));
    }
    let _ = write!(text, ", {}.", many(totals.suspensions, "suspension"));
    text
}

fn many(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
