//! What a run of renewals costs: beside the bank's own time, in the database, in memory; and what it
//! costs to find what is due.

mod bank;
pub(crate) mod database;
mod due;
pub(crate) mod rows;
mod server;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use clap::ValueEnum;
use echodesk_core::SystemClock;
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::{Ended, Installation};
use jiff::Timestamp;
use serde_json::Value;

use self::bank::{Bank, Settles};
use self::database::Database;
use self::server::Work;
use crate::measure::{self, Cost};

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PaymentArguments {
    /// Subscriptions that are due.
    #[arg(long, default_value_t = 10_000)]
    due: u64,
    /// Only this; may be given more than once.
    #[arg(long)]
    only: Vec<What>,
    /// Only on this database.
    #[arg(long)]
    database: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Wall clock over the ideal, against a bank that is 50 ms away.
    Far,
    /// The cost of the writes, against a bank that answers at once.
    Near,
    /// Peak memory with a tenth, all, and five times of what is due.
    Memory,
    /// Finding 1,000 that are due among 1,000,000.
    Query,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
}

impl Default for PaymentArguments {
    fn default() -> Self {
        Self { due: 10_000, only: Vec::new(), database: None }
    }
}

impl PaymentArguments {
    fn wants(&self, what: What) -> bool {
        self.only.is_empty() || self.only.contains(&what)
    }
}

/// Calls to the bank in flight.
const WIDTH: u32 = 32;

/// How long a call of the bank takes.
const LATENCY: Duration = Duration::from_millis(50);

/// Where installations are made, one after another.
pub(crate) struct Bench<'a> {
    folder: PathBuf,
    postgres: Option<Postgres>,
    clock: &'a SystemClock,
    made: std::cell::Cell<u32>,
}

/// One run, measured.
struct Run {
    cost: Cost,
    /// From the first charge that was written down to the last that the bank has accepted.
    charging: Duration,
    server: Work,
    report: Value,
}

pub(crate) fn measure(arguments: &PaymentArguments, clock: &SystemClock) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kinds: Vec<Kind> = match arguments.database {
        Some(kind) => vec![kind],
        None => vec![Kind::Postgres, Kind::Sqlite],
    };
    let postgres = if kinds.contains(&Kind::Postgres) { Postgres::start_durable() } else { None };
    let bench = Bench { folder: folder.path().to_owned(), postgres, clock, made: std::cell::Cell::new(0) };
    for kind in kinds.into_iter().filter(|kind| *kind == Kind::Sqlite || bench.postgres.is_some()) {
        println!("Renewals on {kind:?}, --width {WIDTH}, the bank in a process of its own\n");
        if arguments.wants(What::Far) {
            far(&bench, kind, arguments.due);
        }
        if arguments.wants(What::Near) {
            near(&bench, kind, arguments.due);
        }
        if arguments.wants(What::Memory) {
            memory(&bench, kind, arguments.due);
        }
        if arguments.wants(What::Query) {
            due::measure(&bench, kind);
        }
    }
}

impl Bench<'_> {
    /// A database of its own with so many subscriptions.
    fn installation(&self, kind: Kind, due: u64, others: u64) -> Installation {
        self.made.set(self.made.get() + 1);
        let folder = self.folder.join(self.made.get().to_string());
        std::fs::create_dir_all(&folder).expect("own folder");
        let database_url = match (&self.postgres, kind) {
            (Some(postgres), Kind::Postgres) => postgres.database(),
            _ => format!("sqlite://{}", folder.join("data").display()),
        };
        let installation = Installation { database_url, ca_file: folder.join("none"), folder };
        rows::make(&installation, due, others, self.clock);
        installation
    }

    /// A first run for so many that are due.
    fn run(&self, kind: Kind, due: u64, latency: Duration, settles: Settles) -> Run {
        let installation = self.installation(kind, due, 0);
        let bank = Bank::start(&installation.folder, latency, settles);
        let url = &installation.database_url;
        let before = if kind == Kind::Postgres { Work::so_far(url) } else { Work::default() };
        let settle_for = if settles == Settles::AtOnce { "30m" } else { "1s" };
        let (cost, report) = self.renew(&installation, &bank, &["--settle-for", settle_for]);
        let after = if kind == Kind::Postgres { Work::so_far(url) } else { Work::default() };
        Run { cost, charging: charging(&mut Database::open(url)), server: after.since(before), report }
    }

    fn renew(&self, installation: &Installation, bank: &Bank, arguments: &[&str]) -> (Cost, Value) {
        let file = installation.folder.join("report.json");
        let (width, name) = (WIDTH.to_string(), file.display().to_string());
        let mut command =
            installation.command("recurring-payments", &["--quiet", "--width", &width, "--report", &name]);
        // Nobody reads while the process is being measured, so it must not be given a pipe.
        command.args(arguments).envs(bank.settings()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let child = command.spawn().expect("recurring-payments is built beside this program");
        let cost = measure::child(&child, self.clock);
        let _ = Ended::of(child).well();
        (cost, report(&file))
    }
}

fn report(file: &Path) -> Value {
    let text = std::fs::read(file).unwrap_or_default();
    let mut report: Value = serde_json::from_slice(&text).unwrap_or_default();
    report["totals"].take()
}

/// As the ledger has it, which knows nothing of starting and ending.
fn charging(database: &mut Database) -> Duration {
    let mut moment = |expression: &str| {
        let text = if database.is_postgres() {
            format!("to_char(({expression}) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        } else {
            expression.to_owned()
        };
        let text = database.text(&format!("SELECT {text} AS value FROM echodesk_charge_attempt"));
        text.parse::<Timestamp>().expect("a time")
    };
    let (begin, end) = (moment("min(prepared_at)"), moment("max(updated_at)"));
    end.duration_since(begin).try_into().unwrap_or_default()
}

fn far(bench: &Bench<'_>, kind: Kind, due: u64) {
    let call = LATENCY.as_secs_f64() * number(due) / f64::from(WIDTH);
    println!("{due} due, {LATENCY:?} a call: {call:.1} s if the bank were all");
    println!("{:<34} {:>8} {:>8} {:>8} {:>9}", "", "wall s", "CPU s", "peak MB", "× ideal");
    let ideal = |calls: f64| Cost { wall: Duration::from_secs_f64(call * calls), ..Cost::default() };

    let run = bench.run(kind, due, LATENCY, Settles::Later);
    let charging = Cost { wall: run.charging, ..Cost::default() };
    measure::show("charging alone, by the ledger", charging, ideal(1.0));
    measure::show("the process, with --settle-for 1s", run.cost, ideal(1.0));
    println!("    {}", run.report);
    writes(&run, due);

    let run = bench.run(kind, due, LATENCY, Settles::AtOnce);
    measure::show("charging and receipts, two calls", run.cost, ideal(2.0));
    println!("    {}", run.report);
    writes(&run, due);
    println!();
}

fn near(bench: &Bench<'_>, kind: Kind, due: u64) {
    println!("{due} due, the bank answers at once");
    println!("{:<34} {:>8} {:>8} {:>8} {:>9}", "", "wall s", "CPU s", "peak MB", "");
    for (name, settles) in [("charges alone", Settles::Later), ("charges and receipts", Settles::AtOnce)] {
        let run = bench.run(kind, due, Duration::ZERO, settles);
        measure::show(name, run.cost, Cost::default());
        println!("    {:.0} a second, by the ledger", number(due) / run.charging.as_secs_f64());
        writes(&run, due);
    }
    println!();
}

/// The cost of one charge.
fn writes(run: &Run, due: u64) {
    let each = |total: f64| total / number(due);
    let millis = |time: Duration| each(time.as_secs_f64() * 1000.0);
    print!("    each: {:.2} ms of our CPU", millis(run.cost.cpu));
    let server = run.server;
    if server.transactions > 0 {
        print!(
            ", {:.2} ms of the server's, {:.2} transactions, {:.2} syncs, {:.0} bytes of WAL",
            millis(server.cpu),
            each(number(server.transactions)),
            each(number(server.syncs)),
            each(number(server.wal_bytes))
        );
    }
    println!();
}

fn memory(bench: &Bench<'_>, kind: Kind, due: u64) {
    println!("{:<34} {:>8} {:>8} {:>8} {:>9}", "", "wall s", "CPU s", "peak MB", "");
    for due in [due / 10, due, due * 5] {
        let run = bench.run(kind, due, Duration::ZERO, Settles::AtOnce);
        measure::show(&format!("{due} due"), run.cost, Cost::default());
    }
    println!();
}

/// Counts here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}
