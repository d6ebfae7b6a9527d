//! The command line of `recurring-payments`.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Parser;
use echodesk_billing::rules::due::{CLOCKS_DIFFER_BY, LONGEST_WINDOW_DAYS, Policy};
use echodesk_billing::run::RenewalOptions;
use echodesk_core::{SchemaName, Tenant};
use echodesk_job::args::{AsOfArgs, EXIT_CODES, environment_help};
use echodesk_job::settings::names;
use echodesk_job::{CommonArgs, SettingsError, generate, values};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

/// Charge the saved cards of subscriptions that are about to expire
///
/// Each run first finds out what became of charges that earlier runs left open, then charges what is
/// due, then asks the bank what became of that. Per subscription and period at most one charge is
/// captured, whatever crashes, times out, repeats or overlaps: runs may be made as often as you like,
/// on one machine or on several. Make several a day: a charge whose answer was lost is found out by
/// asking again, and the bank can be trusted to remember it for a day only.
#[derive(Debug, Parser)]
#[command(name = "recurring-payments", version, after_long_help = after_help(), max_term_width = 100)]
pub(crate) struct RecurringPayments {
    #[command(flatten)]
    pub(crate) common: CommonArgs,

    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,

    /// Charge subscriptions that expire within so many days (with --grace-days, at most 29)
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = days())]
    #[arg(help_heading = "What is due")]
    pub(crate) days_before: u32,

    /// Charge subscriptions that expired up to so many days ago, unless they are suspended
    ///
    /// Keep it equal to the --grace-days of subscription-status: with fewer days here, cards are no longer
    /// charged while its warnings still say so; with more, tenants are suspended between two attempts.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = days())]
    #[arg(help_heading = "What is due")]
    pub(crate) grace_days: u32,

    /// Calls to the bank in flight
    #[arg(long, value_name = "N", default_value = "8", value_parser = values::positive::<NonZeroUsize>)]
    #[arg(help_heading = "How")]
    pub(crate) width: NonZeroUsize,

    /// How long to ask the bank what became of charges; what is not final by then is pending
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = values::duration)]
    #[arg(help_heading = "How")]
    pub(crate) settle_for: Duration,

    /// How long a charge without an answer is repeated with its key; after that a person has to look
    ///
    /// The bank answers a repeated key as it answered the first time and does not charge again, as long
    /// as it remembers the key. Longer than it does, and a repeat may charge twice. Clocks may be wrong, so the
    /// last two hours of this time are not used.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = key_life)]
    #[arg(help_heading = "How")]
    pub(crate) trust_key_for: Duration,
}

/// A key is not used in the last hours of its life, so it must have others.
fn key_life(text: &str) -> Result<Duration, String> {
    let life = values::duration(text).map_err(|error| error.to_string())?;
    let unused = CLOCKS_DIFFER_BY.unsigned_abs();
    let hours = unused.as_secs() / 3600;
    if life > unused { Ok(life) } else { Err(format!("must be more than {hours}h, by which clocks may differ")) }
}

fn days() -> impl clap::builder::TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(0..=i64::from(LONGEST_WINDOW_DAYS))
}

impl RecurringPayments {
    /// Refuses a window in which one payment is not enough.
    pub(crate) fn check_window(&self) -> Result<(), SettingsError> {
        if self.days_before + self.grace_days <= LONGEST_WINDOW_DAYS {
            return Ok(());
        }
        let why = format!(
            "together with --grace-days {} that is over {LONGEST_WINDOW_DAYS} days, and a payment extends by 30: a subscription \
             that was just renewed would be due again",
            self.grace_days
        );
        Err(SettingsError::wrong("--days-before", why))
    }

    /// Options for all tenants but those that are exempt.
    pub(crate) fn options(
        &self,
        exempt: BTreeSet<SchemaName>,
        time_zone: TimeZone,
        tenant: Option<Tenant>,
    ) -> RenewalOptions {
        RenewalOptions {
            policy: Policy {
                days_before: self.days_before,
                grace_days: self.grace_days,
                exempt,
                time_zone,
                key_trusted_for: SignedDuration::try_from(self.trust_key_for).unwrap_or(SignedDuration::MAX),
            },
            tenant,
            width: self.width,
            settle_for: self.settle_for,
            ..RenewalOptions::default()
        }
    }
}

fn after_help() -> String {
    const EXAMPLES: &str = "\
Examples:
  recurring-payments --dry-run                  what a run would charge now; talks to no bank
  recurring-payments --dry-run --as-of 2026-12-01
                                                what a run on that day would charge, as things stand
  recurring-payments                            all active tenants, as a cron job would
  recurring-payments --tenant acme --settle-for 10m
                                                one tenant, with more patience
  recurring-payments -q --report /var/lib/echodesk/payments.json
                                                failures only, and numbers for a monitor

Exit code 1 means that somebody should read the list: a charge was refused or postponed, or its
outcome is not known, or only a person can decide. Running again charges nothing twice: what is not
known is asked about first, and refused cards are tried again one, three and five days after the
first refusal, unless the bank says that it makes no sense. Orders that need a person stay on the
list until `echodesk orders resolve` has told what became of them.";
    let groups = [
        names::DATABASE,
        names::BANK,
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

    fn parse(line: &str) -> Result<RecurringPayments, String> {
        let words = std::iter::once("recurring-payments").chain(line.split_whitespace());
        RecurringPayments::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_sound() {
        RecurringPayments::command().debug_assert();
    }

    #[test]
    fn defaults_are_those_of_the_library() {
        assert_eq!(parse("").unwrap().options(BTreeSet::new(), TimeZone::UTC, None), RenewalOptions::default());
    }

    #[test]
    fn every_flag_reaches_the_run() {
        let line = "--days-before 5 --grace-days 0 --width 32 --settle-for 90s --trust-key-for 3h";
        let exempt: BTreeSet<SchemaName> = ["acme".parse().unwrap()].into();
        let zone = TimeZone::get("Asia/Tbilisi").unwrap();
        let options = parse(line).unwrap().options(exempt.clone(), zone.clone(), None);
        assert_eq!((options.policy.days_before, options.policy.grace_days), (5, 0));
        assert_eq!((options.width.get(), options.settle_for), (32, Duration::from_secs(90)));
        assert_eq!(options.policy.key_trusted_for, SignedDuration::from_hours(3));
        assert_eq!((options.policy.exempt, options.policy.time_zone), (exempt, zone));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        let table = [
            ("--days-before 30", "0..=29"),
            ("--days-before=-1", "--days-before"),
            ("--grace-days 365", "0..=29"),
            ("--width 0", "must be at least 1"),
            ("--settle-for 180", "90s, 4m or 1h30m"),
            ("--trust-key-for 0s", "must be at least 1s"),
            ("--trust-key-for 2h", "must be more than 2h"),
            ("--as-of 2026-12-01", "--dry-run"),
        ];
        for (line, part) in table {
            let error = parse(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn a_window_in_which_one_payment_is_not_enough_is_refused() {
        for (line, fits) in [("", true), ("--days-before 22", true), ("--days-before 23", false)] {
            assert_eq!(parse(line).unwrap().check_window().is_ok(), fits, "{line}");
        }
        assert!(parse("--days-before 1 --grace-days 29").unwrap().check_window().is_err());
    }

    #[test]
    fn the_help_is_worth_reading() {
        insta::assert_snapshot!(RecurringPayments::command().term_width(100).render_long_help());
    }
}
