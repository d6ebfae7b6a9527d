//! Mails per second through a local sink, beside what `smtp-source` of Postfix does in the same run.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use echodesk_core::SystemClock;
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::{Ended, Installation};
use serde_json::Value;

use crate::measure::{self, Cost};
use crate::payments::database::Database;
use crate::payments::{Kind, number, rows};

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct NoticeArguments {
    /// Notices to deliver.
    #[arg(long, default_value_t = 10_000)]
    notices: u64,
    /// Only from this database.
    #[arg(long)]
    database: Option<Kind>,
}

impl Default for NoticeArguments {
    fn default() -> Self {
        Self { notices: 10_000, database: None }
    }
}

/// `smtp-sink`, which takes every mail and forgets it.
struct Sink {
    child: Child,
    port: u16,
}

impl Sink {
    fn start() -> Option<Self> {
        let program = postfix("smtp-sink")?;
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let mut command = Command::new(program);
        // As root it wants to be told whom to become.
        if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            command.args(["-u", "nobody"]);
        }
        let child = command.args([&format!("127.0.0.1:{port}"), "1000"]).stderr(Stdio::null()).spawn().ok()?;
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(Self { child, port });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn postfix(program: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/local/sbin", "/usr/bin"]
        .map(|folder| PathBuf::from(folder).join(program))
        .into_iter()
        .find(|file| file.is_file())
}

pub(crate) fn measure(arguments: &NoticeArguments, clock: &SystemClock) {
    let Some(sink) = Sink::start() else {
        println!("Notices: smtp-sink and smtp-source are not installed (package postfix)");
        return;
    };
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
        let installation = Installation { database_url, ca_file: place.join("none"), folder: place };
        one(kind, &installation, &sink, arguments.notices, clock);
    }
}

fn one(kind: Kind, installation: &Installation, sink: &Sink, notices: u64, clock: &SystemClock) {
    rows::prepare(installation);
    let length = sample_length(installation, clock);
    rows::make_each(installation, &[("week", None, 5, notices)], clock);
    println!("{notices} notices from {kind:?} into smtp-sink\n");
    println!("{:<34} {:>8} {:>8} {:>8} {:>9}", "", "wall s", "CPU s", "peak MB", "× source");

    // Nobody listens on the discard port: everything is decided and queued, and nothing sent.
    let (queueing, _) = run(installation, 9, clock);
    let sources: Vec<(u32, Cost)> = [1, 4]
        .into_iter()
        .filter_map(|sessions| Some((sessions, source(sink, notices, sessions, length, clock)?)))
        .collect();
    let best = sources.iter().map(|(_, cost)| *cost).min_by_key(|cost| cost.wall).unwrap_or_default();
    for (sessions, cost) in &sources {
        measure::show(&format!("smtp-source, {sessions} session(s), {length} bytes"), *cost, best);
    }
    measure::show("deciding and queueing", queueing, best);
    let (delivery, told) = run(installation, sink.port, clock);
    measure::show("the process that delivers", delivery, best);
    let mut database = Database::open(&installation.database_url);
    let sending = database.text(if database.is_postgres() {
        "SELECT (extract(epoch FROM max(closed_at) - min(closed_at)))::text AS value FROM echodesk_notice WHERE id > (SELECT min(id) FROM echodesk_notice)"
    } else {
        "SELECT CAST((julianday(max(closed_at)) - julianday(min(closed_at))) * 86400 AS text) AS value FROM echodesk_notice WHERE id > (SELECT min(id) FROM echodesk_notice)"
    });
    let rate = |seconds: f64| if seconds > 0.0 { number(notices) / seconds } else { 0.0 };
    let sending = sending.parse().unwrap_or(0.0);
    println!("    {told}");
    println!(
        "    mails a second: {:.0} by smtp-source, {:.0} by the whole process, {:.0} from the first to the last (ledger); \
         ratio {:.2} and {:.2}\n",
        rate(best.wall.as_secs_f64()),
        rate(delivery.wall.as_secs_f64()),
        rate(sending),
        best.wall.as_secs_f64() / delivery.wall.as_secs_f64(),
        if sending > 0.0 { best.wall.as_secs_f64() / sending } else { 0.0 },
    );
}

fn run(installation: &Installation, port: u16, clock: &SystemClock) -> (Cost, Value) {
    let file = installation.folder.join("report.json");
    let _ = std::fs::remove_file(&file);
    let name = file.display().to_string();
    let mut command = installation.command("subscription-status", &["--quiet", "--report", &name]);
    command.env("EMAIL_HOST", "127.0.0.1").env("EMAIL_PORT", port.to_string());
    command.env("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>");
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("built beside this program");
    let cost = measure::child(&child, clock);
    let _ = Ended::of(child);
    let report = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    (cost, report.map_or(Value::Null, |report: Value| report["notices"].clone()))
}

/// How long a mail of ours is: a reminder of another tenant, into a folder.
fn sample_length(installation: &Installation, clock: &SystemClock) -> u64 {
    let folder = installation.folder.join("sample");
    rows::make_each(installation, &[("sample", None, 5, 1)], clock);
    let mut command = installation.command("subscription-status", &["--quiet"]);
    command.env("EMAIL_BACKEND", "file").env("EMAIL_FILE_PATH", &folder);
    command.env("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>");
    let _ = Ended::of(command.spawn().expect("built beside this program"));
    let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).max().unwrap_or(6_000)
}

fn source(sink: &Sink, notices: u64, sessions: u32, length: u64, clock: &SystemClock) -> Option<Cost> {
    let mut command = Command::new(postfix("smtp-source")?);
    command.args(["-d", "-s", &sessions.to_string(), "-m", &notices.to_string(), "-l", &length.to_string()]);
    command.args(["-f", "noreply@echodesk.example", "-t", "ann@example.com", &format!("127.0.0.1:{}", sink.port)]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let cost = measure::child(&child, clock);
    child.wait().ok().filter(std::process::ExitStatus::success).map(|_| cost)
}
