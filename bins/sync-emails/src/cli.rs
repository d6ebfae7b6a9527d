//! The command line of `sync-emails`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use clap::Parser;
use echodesk_job::args::{EXIT_CODES, environment_help};
use echodesk_job::mail::MailArgs;
use echodesk_job::settings::names;
use echodesk_job::{CommonArgs, generate, values};
use echodesk_mail::sync::SyncOptions;

/// Pull new mail of every active tenant
///
/// Every message that the servers hold in the synced folders within the history window is stored
/// exactly once, or listed with the reason why not. Nothing on the servers is changed. Runs may
/// overlap, on one machine or on several: each mailbox is worked on by one of them at a time.
#[derive(Debug, Parser)]
#[command(name = "sync-emails", version, after_long_help = after_help(), max_term_width = 100)]
pub(crate) struct SyncEmails {
    #[command(flatten)]
    pub(crate) common: CommonArgs,

    #[command(flatten)]
    pub(crate) mail: MailArgs,

    /// New messages read per mailbox; the rest waits for the next run
    #[arg(long, value_name = "N", default_value = "500", value_parser = values::positive::<NonZeroU32>)]
    #[arg(help_heading = "How much")]
    pub(crate) max_messages: NonZeroU32,

    /// Larger messages are stored reduced, with the reason (KB, MB or GB; 1KB = 1024 bytes)
    #[arg(long, value_name = "SIZE", default_value = "25MB", value_parser = values::size)]
    #[arg(help_heading = "How much")]
    pub(crate) max_message_size: u64,

    /// How long one mailbox may take; what it has not read by then waits for the next run
    #[arg(long, value_name = "DURATION", default_value = "4m", value_parser = values::duration)]
    #[arg(help_heading = "How much")]
    pub(crate) mailbox_budget: Duration,

    /// Mailboxes synced at once
    #[arg(long, value_name = "N", default_value = "16", value_parser = values::positive::<NonZeroUsize>)]
    #[arg(help_heading = "How much")]
    pub(crate) jobs: NonZeroUsize,

    /// Mailboxes synced at once on one server host
    #[arg(long, value_name = "N", default_value = "4", value_parser = values::positive::<NonZeroUsize>)]
    #[arg(help_heading = "How much")]
    pub(crate) per_host: NonZeroUsize,
}

impl SyncEmails {
    pub(crate) fn options(&self) -> SyncOptions {
        SyncOptions {
            max_messages: self.max_messages,
            max_message_size: self.max_message_size,
            jobs: self.jobs,
            per_host: self.per_host,
            mailbox_budget: self.mailbox_budget,
            dry_run: self.common.dry_run,
            ..SyncOptions::default()
        }
    }
}

fn after_help() -> String {
    const EXAMPLES: &str = "\
Examples:
  sync-emails                                   all active tenants, as a cron job would
  sync-emails --tenant acme --dry-run           what a run would store, folder by folder
  sync-emails --max-messages 100000             fill a new mailbox in one go
  sync-emails -q --report /var/lib/echodesk/sync.json
                                                nothing but errors, and numbers for a monitor";
    let groups = [
        names::DATABASE,
        names::MAIL,
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

    fn parse(line: &str) -> Result<SyncEmails, String> {
        let words = std::iter::once("sync-emails").chain(line.split_whitespace());
        SyncEmails::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_sound() {
        SyncEmails::command().debug_assert();
    }

    #[test]
    fn defaults_are_those_of_the_library() {
        assert_eq!(format!("{:?}", parse("").unwrap().options()), format!("{:?}", SyncOptions::default()));
    }

    #[test]
    fn every_limit_reaches_the_sync() {
        let line = "--max-messages 7 --max-message-size 1GB --mailbox-budget 90s --jobs 3 --per-host 2 --dry-run";
        let options = parse(line).unwrap().options();
        assert_eq!(options.max_messages.get(), 7);
        assert_eq!(options.max_message_size, 1 << 30);
        assert_eq!(options.mailbox_budget, Duration::from_secs(90));
        assert_eq!((options.jobs.get(), options.per_host.get()), (3, 2));
        assert!(options.dry_run);
    }

    #[test]
    fn limits_that_make_no_sense_are_refused_with_what_would() {
        let table = [
            ("--max-messages 0", "must be at least 1"),
            ("--max-messages many", "expected a whole number"),
            ("--jobs 0", "must be at least 1"),
            ("--per-host 0", "must be at least 1"),
            ("--max-message-size 0", "must be at least 1 byte"),
            ("--max-message-size 25mm", "25MB"),
            ("--mailbox-budget 240", "90s, 4m or 1h30m"),
            ("--mailbox-budget 0s", "must be at least 1s"),
        ];
        for (line, part) in table {
            let error = parse(line).unwrap_err();
            let flag = line.split(' ').next().unwrap();
            assert!(error.contains(part) && error.contains(flag), "{line}: {error}");
        }
    }

    #[test]
    fn the_help_is_worth_reading() {
        insta::assert_snapshot!(SyncEmails::command().term_width(100).render_long_help());
    }
}
