//! The example `renewal-service` as a process: a service with a store of its own renews exactly once.

use std::process::{Command, Stdio};
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::processes::{Ended, program_path};
use echodesk_tests::sandbox::bank::{Behaviour, Callbacks, Card, SandboxBank};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::renewal::{self, PARENT, PRICE, Server, WEBHOOK};
use crate::support::PATIENCE;

struct Service {
    server: Server,
    _folder: TempDir,
}

/// The command, with one subscription that is due.
fn command(bank: &SandboxBank, folder: &TempDir) -> Command {
    let expires_at = SystemClock::new().now() + SignedDuration::from_hours(48);
    let subscription =
        json!({ "tenant": "acme", "price": PRICE, "agents": 1, "card": PARENT, "expires_at": expires_at.to_string() });
    let file = |name: &str, content: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let mut command = Command::new(program_path("renewal-service"));
    command
        .current_dir(folder)
        .env_clear()
        .envs([
            ("RENEWAL_LISTEN", "127.0.0.1:0"),
            ("RENEWAL_SETTLE_SECONDS", "0"),
            ("BOG_CLIENT_ID", bank.client_id()),
            ("BOG_CLIENT_SECRET", bank.client_secret()),
            ("BOG_AUTH_URL", &bank.token_url()),
            ("BOG_API_BASE_URL", &bank.api_url()),
        ])
        .env("RENEWAL_SUBSCRIPTIONS", file("subscriptions.json", json!([subscription]).to_string()))
        .env("BOG_PUBLIC_KEY_FILE", file("bank.pem", bank.public_key_pem()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

impl Service {
    fn start(bank: &SandboxBank) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { server: Server::start(&mut command(bank, &folder)).unwrap(), _folder: folder }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    fn renew(&self) -> (u16, Value) {
        let answer = client().post(self.url("/renewals")).send().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().unwrap()).unwrap())
    }

    fn call_back(&self, body: &[u8], signature: &str) -> u16 {
        let request = client().post(self.url(WEBHOOK)).header("Callback-Signature", signature).body(body.to_vec());
        request.send().unwrap().status().as_u16()
    }

    /// How often the subscription was extended, and how many charges have failed.
    fn standing(&self) -> (u64, u64) {
        let text = client().get(self.url("/subscriptions")).send().unwrap().text().unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        (all[0]["extended"].as_u64().unwrap(), all[0]["failed_payments"].as_u64().unwrap())
    }
}

fn client() -> reqwest::blocking::Client {
    reqwest::blocking::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

/// A bank that says how a charge ended only when the test lets it, and calls nobody.
fn slow_bank() -> SandboxBank {
    renewal::bank(Behaviour { settle_after: None, callbacks: Callbacks::lost(), ..Behaviour::default() }, Card::pays())
}

#[test]
fn a_callback_extends_once_and_a_forged_one_never() {
    let bank = slow_bank();
    let service = Service::start(&bank);
    let (status, report) = service.renew();
    assert_eq!((status, &report["pending"], &report["paid"]), (200, &json!(1), &json!(0)), "{report}");
    let (_, report) = service.renew();
    assert_eq!(report["pending"], json!(1), "it is asked about, and not charged again: {report}");
    assert_eq!(service.standing(), (0, 0));

    bank.settle_all();
    let order = &bank.captures()[0].order_id;
    let (body, signature) = bank.callback_for(order);
    assert_eq!(service.call_back(&body, &bank.forge(&body)), 401);
    assert_eq!(service.call_back(&[&body[..], b" "].concat(), &signature), 401);
    assert_eq!(service.call_back(b"{}", &bank.sign(b"{}")), 400);
    assert_eq!(service.standing(), (0, 0), "what the bank has not signed changes nothing");
    for _ in 0..3 {
        assert_eq!(service.call_back(&body, &signature), 200);
        assert_eq!(service.standing(), (1, 0), "however often it is told");
    }
    let (_, report) = service.renew();
    assert_eq!((&report["paid"], &report["failures"]), (&json!(0), &json!(0)), "{report}");
    assert_eq!((bank.captures().len(), service.standing()), (1, (1, 0)));
    service.server.stop();
}

#[test]
fn without_callbacks_the_next_run_finds_out() {
    let bank = slow_bank();
    let service = Service::start(&bank);
    assert_eq!(service.renew().1["pending"], json!(1));
    bank.settle_all();
    assert_eq!(service.renew().1["paid"], json!(1));
    assert_eq!((bank.captures().len(), service.standing()), (1, (1, 0)));
    service.server.stop();
}

#[test]
fn a_refused_card_is_not_charged_again_on_the_same_day() {
    let bank = renewal::bank(Behaviour::default(), Card::rejected("107"));
    let service = Service::start(&bank);
    // Whether the first run or the second learns of it is the bank's to say.
    let runs = [(); 3].map(|()| service.renew().1);
    let events: Vec<&Value> = runs.iter().map(|report| &report["events"][0]).collect();
    for event in &events {
        assert!(event["details"]["reason"].is_string(), "a value, and not the text of a type: {event}");
    }
    let refused: Vec<_> = events.iter().filter(|event| event["outcome"] == "refused").collect();
    assert_eq!(refused.len(), 1, "{events:?}");
    assert_eq!(refused[0]["details"]["next"]["when"], json!("later"), "{events:?}");
    assert_eq!(events[2]["outcome"], json!("skipped"), "{events:?}");
    assert_eq!((bank.captures().len(), service.standing()), (0, (0, 1)));
    service.server.stop();
}

#[test]
fn one_run_at_a_time() {
    let bank = slow_bank();
    bank.change(|behaviour| behaviour.latency = Duration::from_millis(700));
    let service = Service::start(&bank);
    let mut statuses = std::thread::scope(|scope| {
        let runs = [(); 4].map(|()| scope.spawn(|| service.renew().0));
        runs.map(|run| run.join().unwrap())
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    assert_eq!(bank.open_orders().len(), 1);
    service.server.stop();
}

#[test]
fn a_run_whose_caller_has_hung_up_is_finished_before_the_service_ends() {
    let bank = slow_bank();
    let latency = Duration::from_millis(1500);
    bank.change(|behaviour| behaviour.latency = latency);
    let service = Service::start(&bank);
    let impatient = client().post(service.url("/renewals")).timeout(Duration::from_millis(200)).send();
    assert!(impatient.unwrap_err().is_timeout());

    let clock = SystemClock::new();
    while bank.open_orders().is_empty() {
        assert!(clock.elapsed() < PATIENCE, "nothing was charged");
        std::thread::sleep(Duration::from_millis(10));
    }
    // The bank has taken the charge, and its answer is on the way.
    assert!(bank.requests().last().is_some_and(|request| request.status.is_none()), "{:?}", bank.requests());
    let log = service.server.stop();
    let unheard: Vec<_> = bank.requests().into_iter().filter(|request| request.status.is_none()).collect();
    assert!(unheard.is_empty(), "{unheard:?}");
    let ended = log.lines().find(|line| line.contains("renewals: the run has ended")).unwrap_or_default();
    assert!(ended.contains("pending=1") && ended.contains("failures=0"), "{log}");
}

#[test]
fn settings_that_are_wrong_are_named() {
    let bank = slow_bank();
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("RENEWAL_LISTEN", "here"),
        ("RENEWAL_SUBSCRIPTIONS", "/nowhere.json"),
        ("RENEWAL_SETTLE_SECONDS", "soon"),
        ("BOG_PUBLIC_KEY_FILE", "/nowhere.pem"),
        ("ECHODESK_TIME_ZONE", "Asia/Tiflis2"),
        ("BOG_API_BASE_URL", "nonsense"),
    ] {
        let ended = Ended::of(command(&bank, &folder).env(name, value).spawn().unwrap());
        assert_eq!(ended.code, Some(2), "{name}: {ended:?}");
        assert!(ended.stderr.contains(name), "{name}: {ended:?}");
    }
}
