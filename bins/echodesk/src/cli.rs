//! The command line of `echodesk`.

mod billing;
mod explain;
mod forecast;
mod notices;
mod operation;

use std::num::NonZeroUsize;

use clap::{Args, Parser, Subcommand, ValueEnum};
use echodesk_core::{Language, SchemaName};
use echodesk_job::args::environment_help;
use echodesk_job::mail::MailArgs;
use echodesk_job::settings::names;
use echodesk_job::{GlobalArgs, generate, values};

use crate::mailbox::MailboxRef;
use crate::validate;
pub(crate) use billing::{
    CallbacksCommand, OrdersCommand, OrdersListArgs, OrdersResolveArgs, ServeArgs, TenantSubscribeArgs,
};
pub(crate) use explain::ExplainArgs;
pub(crate) use forecast::ForecastArgs;
pub(crate) use notices::{NoticesCommand, NoticesListArgs, NoticesPreviewArgs, NoticesRetryArgs, SendTestEmailArgs};
pub(crate) use operation::{IdentityBindArgs, IdentityCommand, RunsCommand, RunsListArgs};

/// Look after the database of the EchoDesk jobs
#[derive(Debug, Parser)]
#[command(name = "echodesk", version, after_long_help = after_help(), max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create or update the tables that the jobs need
    ///
    /// On an existing EchoDesk installation this adds our own tables and alters nothing that is there.
    /// The embedded database is migrated by every job that writes; PostgreSQL only by this command.
    Migrate(MigrateArgs),
    /// Add and list tenants, and give them subscriptions
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Add, list and switch on mailboxes
    #[command(subcommand)]
    Mailbox(MailboxCommand),
    /// List charges, and decide what only a person can decide
    #[command(subcommand)]
    Orders(OrdersCommand),
    /// Receive the bank's callbacks
    #[command(subcommand)]
    Callbacks(CallbacksCommand),
    /// List notices, send them again, and see what they say
    #[command(subcommand)]
    Notices(NoticesCommand),
    /// Show what the jobs would charge, send and suspend on the next days
    ///
    /// Reads only, and talks to nobody but the database. Each run of recurring-payments and
    /// subscription-status is played with the jobs' own rules, the next on what the one before has
    /// changed. Reasons why something is not done are told once, not for each run.
    Forecast(ForecastArgs),
    /// Send one mail with the settings by which notices go, and tell what the server says
    ///
    /// Exit code 0 if the mail was taken, 1 if not, 2 if the settings are missing or wrong.
    SendTestEmail(SendTestEmailArgs),
    /// Say whose this database is: under other settings nobody is charged or mailed
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Look back on runs
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Check settings, database, keys, bank, mail server, attachments and every mailbox
    ///
    /// One line each: ok, warning or FAILED, and what to do about it. A token is fetched from the bank, the mail server
    /// and mailboxes are logged in to, and BOG_CALLBACK_URL gets an empty request; nothing is charged and no mail is
    /// sent. Exit code 1 if anything failed.
    Check(CheckArgs),
    /// Tell the story of one tenant: what happened, what the next runs will do, and why
    ///
    /// From all ledgers: charges with the bank's answers, notices, suspensions, mailboxes. Changes nothing and
    /// talks to nobody. Exit code 1 if a part could not be read.
    Explain(ExplainArgs),
}

#[derive(Args, Debug)]
pub(crate) struct MigrateArgs {
    /// The shared tables and this tenant's only
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) tenant: Option<SchemaName>,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Add a tenant, with a schema and tables of its own
    Add(TenantAddArgs),
    /// List tenants
    List(ListArgs),
    /// Give a tenant a subscription, to try out renewals without EchoDesk
    ///
    /// An installation of EchoDesk makes its subscriptions itself.
    Subscribe(TenantSubscribeArgs),
}

#[derive(Args, Debug)]
pub(crate) struct TenantAddArgs {
    /// Name of the tenant's schema: letters, digits, _ and -
    pub(crate) schema: SchemaName,
    /// Name of the customer
    #[arg(long, value_parser = validate::text::<100>)]
    pub(crate) name: String,
    /// Where notices go
    #[arg(long, value_name = "ADDRESS", value_parser = validate::address)]
    pub(crate) admin_email: String,
    /// Whom notices address [default: the customer's name]
    #[arg(long, value_name = "NAME", value_parser = validate::text::<100>)]
    pub(crate) admin_name: Option<String>,
    /// Language of notices
    #[arg(long, value_enum, default_value_t)]
    pub(crate) language: LanguageCode,
    /// Domain of the tenant's helpdesk [default: SCHEMA.localhost]
    #[arg(long, value_parser = validate::text::<128>)]
    pub(crate) domain: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailboxCommand {
    /// Add a mailbox to a tenant
    ///
    /// The password is read from standard input (one line), or asked for on a terminal, and stored
    /// encrypted with ECHODESK_SECRET_KEY.
    Add(Box<MailboxAddArgs>),
    /// List mailboxes and how they are
    List(MailboxListArgs),
    /// Switch mailboxes on again, with their failures forgotten
    Enable(MailboxEnableArgs),
}

#[derive(Args, Debug)]
pub(crate) struct MailboxAddArgs {
    /// The tenant, by the name of its schema
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) tenant: SchemaName,
    /// Address of the mailbox
    #[arg(long, value_name = "ADDRESS", value_parser = validate::address)]
    pub(crate) email: String,
    /// IMAP server, as its certificate names it
    #[arg(long, value_name = "HOST", value_parser = validate::host)]
    pub(crate) imap_host: String,
    /// Port of the IMAP server [default: 993, with --starttls 143]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) imap_port: Option<u16>,
    /// Begin unencrypted and switch to TLS before logging in (TLS is required either way)
    #[arg(long)]
    pub(crate) starttls: bool,
    /// Name to log in with [default: the address]
    #[arg(long, value_name = "NAME", value_parser = validate::text::<255>)]
    pub(crate) username: Option<String>,
    /// Name shown with the address [default: none]
    #[arg(long, value_name = "NAME", value_parser = validate::text::<200>)]
    pub(crate) display_name: Option<String>,
    /// Folder that is synced whatever its name suggests
    #[arg(long, default_value = "INBOX", value_parser = validate::text::<100>)]
    pub(crate) folder: String,
    /// Days of history to fetch; 0 means all
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub(crate) days_back: u32,
    /// Read the password from standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Args, Debug)]
pub(crate) struct MailboxListArgs {
    /// This tenant's only
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) tenant: Option<SchemaName>,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct MailboxEnableArgs {
    /// The mailbox as `mailbox list` shows it: ID, or SCHEMA/ID
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) mailbox: Option<MailboxRef>,
    /// Its tenant, where the id alone could mean several
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) tenant: Option<SchemaName>,
    /// Every mailbox of the tenant that is switched off
    #[arg(long, requires = "tenant", conflicts_with = "mailbox")]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// Mailboxes of this tenant only, be it active or not
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) tenant: Option<SchemaName>,
    /// Mailboxes checked at once
    #[arg(long, value_name = "N", default_value = "16", value_parser = values::positive::<NonZeroUsize>)]
    pub(crate) jobs: NonZeroUsize,
    /// Connect to nobody but the database: not to the bank, mail servers, the callback address or a bucket
    #[arg(long)]
    pub(crate) offline: bool,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) mail: MailArgs,
}

/// A language of notices.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum LanguageCode {
    /// English
    #[default]
    En,
    /// Georgian
    Ka,
    /// Russian
    Ru,
}

impl From<LanguageCode> for Language {
    fn from(code: LanguageCode) -> Self {
        match code {
            LanguageCode::En => Self::En,
            LanguageCode::Ka => Self::Ka,
            LanguageCode::Ru => Self::Ru,
        }
    }
}

fn after_help() -> String {
    const EXAMPLES: &str = "\
Examples:
  echodesk migrate
  echodesk tenant add acme --name 'Acme LLC' --admin-email admin@acme.example
  echodesk mailbox add --tenant acme --email info@acme.example --imap-host imap.acme.example
  echodesk mailbox list --json
  echodesk mailbox enable acme/1
  echodesk mailbox enable --all --tenant acme
  echodesk tenant subscribe acme --expires 2026-12-01 --agents 5 --price 20.00 --card BANK_ORDER_ID
  echodesk orders list
  echodesk orders resolve REC-0123456789AB --paid --because 'statement of 2 December, line 17'
  echodesk callbacks serve --listen 127.0.0.1:8787
  echodesk notices list --parked
  echodesk notices retry --all --tenant acme
  echodesk notices preview reminder --language ka --html reminder.html
  echodesk send-test-email you@example.com
  echodesk identity bind
  echodesk runs list --failed
  echodesk forecast --days 7
  echodesk explain acme --since 2026-11-01
  echodesk check
  echodesk check --tenant acme --json

Exit codes:
  0    done
  1    something failed, and it is listed
  2    wrong usage or settings; nothing was done
  75   the database is away; try again later";
    format!("{EXAMPLES}\n\n{}\n\n{}", environment_help(names::ALL), generate::HELP)
}

#[cfg(test)]
mod tests;
