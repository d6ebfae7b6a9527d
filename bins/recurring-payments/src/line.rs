//! A renewal as a line in columns. Their widths are fixed, since nobody holds all lines at once.

use std::fmt::Display;

use echodesk_billing::run::RenewalEvent;

use crate::words;

/// What stands above the lines.
pub(crate) fn heading() -> String {
    columns("TENANT", "AMOUNT", "PERIOD", "ORDER", "OUTCOME") + "\n"
}

/// The line of an event.
pub(crate) fn of(event: &RenewalEvent) -> String {
    columns(
        event.tenant.as_str(),
        &shown(event.amount),
        &shown(event.period.map(words::day)),
        &shown(event.order.as_ref()),
        &words::outcome(event),
    )
}

fn shown(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn columns(tenant: &str, amount: &str, period: &str, order: &str, outcome: &str) -> String {
    format!("{tenant:<20}  {amount:>12}  {period:<10}  {order:<16}  {outcome}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_line_worth_reading() {
        let lines: Vec<String> = words::tests::events().iter().map(of).collect();
        insta::assert_snapshot!(heading() + &lines.join("\n"));
    }
}
