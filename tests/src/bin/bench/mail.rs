//! What the first sync of a mailbox costs, against the limit of the machine and the tools people use
//! today.

use std::path::Path;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_test_servers::dovecot::{Dovecot, Options, PASSWORD, Storage, USER};
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::Installation;

use crate::measure::{Cost, show};
use crate::{corpus, fleet, ways};

/// What to measure.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct MailArguments {
    /// Messages in the one large mailbox.
    #[arg(long, default_value_t = 7500)]
    messages: usize,
    /// Mailboxes on far hosts; 0 leaves them out.
    #[arg(long, default_value_t = 1000)]
    mailboxes: usize,
}

impl Default for MailArguments {
    fn default() -> Self {
        Self { messages: 7500, mailboxes: 1000 }
    }
}

pub(crate) fn measure(arguments: MailArguments, clock: &SystemClock) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    one_mailbox(arguments.messages, folder.path(), clock);
    if arguments.mailboxes > 0 {
        many_mailboxes(arguments.mailboxes, folder.path(), clock);
    }
}

fn installation(folder: &Path, name: &str, database_url: Option<String>, ca_file: &Path) -> Installation {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).expect("own folder");
    let database_url = database_url.unwrap_or_else(|| format!("sqlite://{}", folder.join("data").display()));
    let installation = Installation { database_url, folder, ca_file: ca_file.to_owned() };
    ways::prepare(&installation);
    installation
}

fn one_mailbox(messages: usize, folder: &Path, clock: &SystemClock) {
    let options = Options { storage: Storage::Maildir, ..Options::default() };
    let Some(server) = Dovecot::start(&options) else { return };
    let maildir = server.mail_folder(USER);
    let bytes = corpus::write(&maildir, messages, clock.now()).expect("the corpus can be written");
    server.adopt(maildir.parent().unwrap_or(&maildir));
    server.doveadm(&["index", "-u", USER, "*"]);
    println!("{messages} messages in 6 folders, {} MB, Dovecot over TLS on this machine\n", bytes / 1_000_000);
    println!("{:<34} {:>8} {:>8} {:>8} {:>9}", "", "wall s", "CPU s", "peak MB", "× limit");

    // The first of these also fills the caches.
    let _ = ways::raw_limit(&server, clock);
    let limit = ways::raw_limit(&server, clock);
    show("raw limit: fetch, parse nothing", limit, limit);

    let sqlite = installation(folder, "sqlite", None, &server.ca_file());
    ways::add_mailbox(&sqlite, USER, "localhost", server.tls_port(), PASSWORD);
    let (cost, report) = ways::sync(&sqlite, &[], clock);
    show("sync-emails into SQLite", cost, limit);
    println!(
        "    stored {}, reduced {}, failed {}",
        sum(&report, "stored"),
        sum(&report, "reduced"),
        sum(&report, "failed")
    );
    let (cost, report) = ways::sync(&sqlite, &[], clock);
    show("again, nothing new", cost, limit);
    println!("    {} turnarounds after connecting", sum(&report, "round_trips"));

    match ways::mbsync(&server, &sqlite, clock) {
        Some(cost) => show("mbsync into Maildir, same disk", cost, limit),
        None => println!("mbsync is not installed, or failed"),
    }

    let postgres = Postgres::start_durable();
    if let Some(postgres) = &postgres {
        let into = installation(folder, "postgres", Some(postgres.database()), &server.ca_file());
        ways::add_mailbox(&into, USER, "localhost", server.tls_port(), PASSWORD);
        let (cost, _) = ways::sync(&into, &[], clock);
        show("sync-emails into PostgreSQL", cost, limit);
        let copy = ways::copy(postgres, &into, clock);
        show("COPY of the same rows", copy, limit);
        let bound = copy.wall.max(limit.wall);
        println!(
            "    PostgreSQL is {:.2} × the larger of limit and COPY",
            cost.wall.as_secs_f64() / bound.as_secs_f64()
        );
    }
}

fn many_mailboxes(mailboxes: usize, folder: &Path, clock: &SystemClock) {
    let servers = fleet::start(mailboxes, clock);
    let into = installation(folder, "fleet", None, &servers[0].ca_file());
    fleet::add(&into, &servers, mailboxes);
    println!("\n{mailboxes} mailboxes on {} hosts, 50 ms away, --jobs 32\n", servers.len());
    println!("{:<34} {:>8} {:>8} {:>8}", "", "wall s", "CPU s", "peak MB");
    for name in ["first sync", "again, nothing new"] {
        let (cost, report) = ways::sync(&into, &["--jobs", "32"], clock);
        show(name, cost, Cost::default());
        println!(
            "    synced {}, stored {}, failed {}",
            sum(&report, "synced"),
            sum(&report, "stored"),
            sum(&report, "failed")
        );
    }
}

fn sum<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    &report["totals"][name]
}
