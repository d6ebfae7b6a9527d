//! What became of a subscription as a line in columns. Their widths are fixed, since nobody holds all
//! lines at once.

use echodesk_billing::status::StatusEvent;

use crate::words::Words;

/// What stands above the lines.
pub(crate) fn heading() -> String {
    columns("TENANT", "EXPIRES", "OUTCOME") + "\n"
}

/// The line of an event.
pub(crate) fn of(event: &StatusEvent, words: &Words) -> String {
    let expires = event.expires_at.map_or_else(|| "-".to_owned(), |at| words.day(at).to_string());
    columns(event.tenant.as_str(), &expires, &words.outcome(event))
}

fn columns(tenant: &str, expires: &str, outcome: &str) -> String {
    format!("{tenant:<20}  {expires:<10}  {outcome}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn every_outcome_has_a_line_worth_reading() {
        let lines: Vec<String> = words::tests::events().iter().map(|event| of(event, &words::tests::words())).collect();
        insta::assert_snapshot!(heading() + &lines.join("\n"));
    }
}
