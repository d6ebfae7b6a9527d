//! What it costs to find the few of a million subscriptions that expire, beside a bare SELECT of the same
//! rows.

use std::process::Stdio;
use std::time::Duration;

use echodesk_core::SystemClock;
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::{Ended, Installation};
use serde_json::Value;

use crate::measure::{self, Cost};
use crate::payments::Kind;
use crate::payments::database::Database;
use crate::payments::rows;

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StatusArguments {
    /// Subscriptions in all.
    #[arg(long, default_value_t = 1_000_000)]
    all: u64,
    /// Those of them that need something: a third each a reminder, an urgent one, a warning.
    #[arg(long, default_value_t = 30_000)]
    due: u64,
    /// Only on this database.
    #[arg(long)]
    database: Option<Kind>,
}

impl Default for StatusArguments {
    fn default() -> Self {
        Self { all: 1_000_000, due: 30_000, database: None }
    }
}

/// The rows that a run judges, and nothing else of them.
const BARE: &str = "SELECT s.id || ' ' || s.expires_at || ' ' || s.agent_count || ' ' || t.schema_name || ' ' \
    || t.admin_email AS value \
    FROM tenants_tenant_subscription s JOIN tenants_tenant t ON t.id = s.tenant_id \
    WHERE s.is_active AND t.is_active AND s.expires_at <= ";

pub(crate) fn measure(arguments: &StatusArguments, clock: &SystemClock) {
    let kinds = arguments.database.map_or(vec![Kind::Postgres, Kind::Sqlite], |kind| vec![kind]);
    let postgres = if kinds.contains(&Kind::Postgres) { Postgres::start_durable() } else { None };
    for kind in kinds {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database_url = match (&postgres, kind) {
            (Some(postgres), Kind::Postgres) => postgres.database(),
            (None, Kind::Postgres) => continue,
            (_, Kind::Sqlite) => format!("sqlite://{}", folder.path().join("data").display()),
        };
        let place = folder.path().to_owned();
        one(kind, &Installation { database_url, ca_file: place.join("none"), folder: place }, arguments, clock);
    }
}

fn one(kind: Kind, installation: &Installation, arguments: &StatusArguments, clock: &SystemClock) {
    let third = arguments.due / 3;
    let kinds = [
        ("week", None, 5, third),
        ("urgent", None, 2, third),
        ("grace", None, -3, third),
        ("later", None, 200, arguments.all - 3 * third),
    ];
    rows::prepare(installation);
    rows::make_each(installation, &kinds, clock);
    println!("{} subscriptions on {kind:?}, of which {} need something\n", arguments.all, 3 * third);
    println!("{:<34} {:>8} {:>8} {:>8} {:>9}", "", "wall s", "CPU s", "peak MB", "× SELECT");
    let select = bare(installation, clock);
    measure::show("the bare SELECT of the same rows", select, select);
    let (dry, totals) = run(installation, &["--dry-run"], clock);
    measure::show("--dry-run", dry, select);
    println!("    {totals}");
    let (real, totals) = run(installation, &[], clock);
    measure::show("the first run, all queued", real, select);
    println!("    {totals}");
    let (again, totals) = run(installation, &[], clock);
    measure::show("again, nothing new", again, select);
    println!("    {totals}\n");
}

fn bare(installation: &Installation, clock: &SystemClock) -> Cost {
    let mut database = Database::open(&installation.database_url);
    let soon = if database.is_postgres() {
        "now() + interval '9 days'".to_owned()
    } else {
        "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+9 days')".to_owned()
    };
    let rows = format!("{BARE}{soon}");
    // The first fills the caches.
    let found = database.texts(&rows).len();
    let cost = measure::wall(clock, || drop(database.texts(&rows)));
    println!("    ({found} rows)");
    cost
}

/// No mail server is there: what is queued stays queued.
fn run(installation: &Installation, arguments: &[&str], clock: &SystemClock) -> (Cost, Value) {
    let file = installation.folder.join("report.json");
    let _ = std::fs::remove_file(&file);
    let name = file.display().to_string();
    let mut command = installation.command("subscription-status", &["--quiet", "--report", &name]);
    command.args(arguments).env("EMAIL_HOST", "127.0.0.1").env("EMAIL_PORT", "9");
    command.env("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>");
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("built beside this program");
    let mut cost = measure::child(&child, clock);
    let ended = Ended::of(child);
    if !matches!(ended.code, Some(0 | 1)) {
        cost.wall = Duration::ZERO;
    }
    let report = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    (cost, report.map_or(Value::Null, |report: Value| report["totals"].clone()))
}
