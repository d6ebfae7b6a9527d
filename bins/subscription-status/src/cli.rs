//! The command line of `subscription-status`.

use std::collections::BTreeSet;

use clap::Parser;
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_core::SchemaName;
use echodesk_job::args::{AsOfArgs, EXIT_CODES, environment_help};
use echodesk_job::settings::names;
use echodesk_job::{CommonArgs, generate};
use jiff::tz::TimeZone;

/// Longer than a quarter of a year nobody waits for a payment.
const LONGEST_GRACE: i64 = 90;

/// Remind of subscriptions that are about to expire, warn, and suspend
///
/// Seven days before a subscription expires its tenant is reminded, three days before urgently. Once it
/// has expired there is a warning on each day, until the days of grace are over; then tenant and
/// subscription are suspended. Nothing is deleted, and a payment lifts the suspension. What an
/// earlier run has told is not told again, and days without a run are caught up with one notice: run it
/// once a day, or as often as you like, on one machine or on several.
#[derive(Debug, Parser)]
#[command(name = "subscription-status", version, after_long_help = after_help(), max_term_width = 100)]
pub(crate) struct SubscriptionStatus {
    #[command(flatten)]
    pub(crate) common: CommonArgs,

    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,

    /// Suspend so many days of 24 hours after expiry; 0 means at once
    ///
    /// Keep it equal to the --grace-days of recurring-payments: with fewer days there, cards are no longer
    /// charged while warnings still say so; with more, tenants are suspended between two attempts. On a
    /// database with old debts give more days for a start, and look at a dry run first: whoever is past
    /// grace is suspended by the first run, with a notice and without a warning.
    #[arg(long, value_name = "N", default_value_t = 7)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=LONGEST_GRACE), help_heading = "Who is suspended")]
    pub(crate) grace_days: u32,

    /// A tenant that pays nothing, beside those of ECHODESK_EXEMPT_TENANTS; may be given several times
    #[arg(long, value_name = "SCHEMA", help_heading = "Who is suspended")]
    pub(crate) exempt: Vec<SchemaName>,
}

impl SubscriptionStatus {
    /// Who is reminded and suspended when; `exempt` are those of the settings.
    pub(crate) fn policy(&self, exempt: &BTreeSet<SchemaName>, time_zone: TimeZone) -> ExpiryPolicy {
        let exempt = exempt.iter().chain(&self.exempt).cloned().collect();
        ExpiryPolicy { grace_days: self.grace_days, exempt, time_zone }
    }
}

fn after_help() -> String {
    const EXAMPLES: &str = "\
Examples:
  subscription-status --dry-run                 whom a run would remind, warn and suspend now
  subscription-status --dry-run --as-of 2026-12-01
                                                the same on that day, as things stand
  subscription-status                           all active tenants, as a cron job would
  subscription-status --exempt demo --grace-days 14
                                                more patience, and one tenant left alone
  subscription-status -q --report /var/lib/echodesk/status.json
                                                trouble only, and numbers for a monitor

A suspension is withheld while money may have come that nobody has booked: a charge that is open, an
order that is paid and has extended nothing, a page on which somebody seems to be paying. Exit code
1 means that somebody should read the list: a suspension was withheld for such a reason, or a notice
could not be delivered or waits after tries that failed. `echodesk orders list` and `echodesk notices list` show more.";
    let groups = [
        names::DATABASE,
        names::BILLING,
        names::NOTICES,
        names::CERTIFICATES,
        names::TIME_ZONE,
        names::OPERATION,
        names::OUTPUT,
    ];
    format!("{EXAMPLES}\n\n{EXIT_CODES}\n\n{}\n\n{}", environment_help(&groups), generate::HELP)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<SubscriptionStatus, String> {
        let words = std::iter::once("subscription-status").chain(line.split_whitespace());
        SubscriptionStatus::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_sound() {
        SubscriptionStatus::command().debug_assert();
    }

    #[test]
    fn defaults_are_those_of_the_library() {
        assert_eq!(parse("").unwrap().policy(&BTreeSet::new(), TimeZone::UTC), ExpiryPolicy::default());
    }

    #[test]
    fn every_flag_reaches_the_run() {
        let zone = TimeZone::get("Asia/Tbilisi").unwrap();
        let from_settings = BTreeSet::from(["cola".parse().unwrap()]);
        let policy = parse("--grace-days 90 --exempt bell --exempt acme").unwrap().policy(&from_settings, zone.clone());
        let exempt: Vec<&str> = policy.exempt.iter().map(SchemaName::as_str).collect();
        assert_eq!(exempt, ["acme", "bell", "cola"]);
        assert_eq!((policy.grace_days, policy.time_zone), (90, zone));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        let table = [
            ("--grace-days 91", "0..=90"),
            ("--grace-days=-1", "--grace-days"),
            ("--exempt a/b", "only letters, digits, _ and - may be used"),
            ("--exempt", "--exempt <SCHEMA>"),
            ("--as-of 2026-12-01", "--dry-run"),
        ];
        for (line, part) in table {
            let error = parse(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn the_help_is_worth_reading() {
        insta::assert_snapshot!(SubscriptionStatus::command().term_width(100).render_long_help());
    }
}
