//! A forecast against what then really happens: the jobs are played day by day by their own programs.

use std::collections::BTreeSet;

use echodesk_tests::sandbox::bank::{Card, SandboxBank};
use echodesk_tests::sandbox::smtp::ReceivedMail;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::payments::run::{Ran, Run};
use crate::payments::world::{PRICE, card_of, silent};
use crate::status::world::{Place, StatusWorld, everywhere, kind, moment};

everywhere!(what_is_forecast_then_happens);

/// When all subscriptions end.
const EXPIRES: &str = "2027-03-10T12:00:00Z";
/// From a week before that to after the suspension.
const FROM: &str = "2027-03-02T00:00:00Z";
const DAYS: i64 = 13;
/// So that a fortnight is long enough.
const GRACE: [&str; 2] = ["--grace-days", "3"];
/// Whose card pays, whose is declined, and who has none; and what is assumed of them.
const TENANTS: [(&str, &str); 3] = [("bell", "paid"), ("cola", "declined"), ("dona", "paid")];

struct Played {
    world: StatusWorld,
    bank: SandboxBank,
    runs: usize,
    /// What happened: when, by which job, to whom, what.
    happened: Vec<String>,
    /// Why whose card was not charged, as far as that was told.
    reasons: BTreeSet<String>,
}

impl Played {
    fn new(place: Place) -> Option<Self> {
        let mut world = StatusWorld::new(place)?;
        let bank = SandboxBank::start(silent());
        for (name, value) in [
            ("BOG_CLIENT_ID", bank.client_id().to_owned()),
            ("BOG_CLIENT_SECRET", bank.client_secret().to_owned()),
            ("BOG_AUTH_URL", bank.token_url()),
            ("BOG_API_BASE_URL", bank.api_url()),
        ] {
            world.set(name, &value);
        }
        let played = Self { world, bank, runs: 0, happened: Vec::new(), reasons: BTreeSet::new() };
        played.subscribe("bell", Some(Card::pays()));
        played.subscribe("cola", Some(Card::rejected("107")));
        played.subscribe("dona", None);
        Some(played)
    }

    fn subscribe(&self, tenant: &str, card: Option<Card>) {
        let (before, address) = ("2027-01-01", format!("{tenant}@example.com"));
        let _ = self.world.echodesk(before, &["tenant", "add", tenant, "--name", tenant, "--admin-email", &address]);
        let (mut line, parent) = (vec!["tenant", "subscribe", tenant, "--expires", EXPIRES], card_of(tenant));
        line.extend(["--agents", "2", "--price", "25.00"]);
        if let Some(card) = card {
            self.bank.add_card(&parent, PRICE, card);
            line.extend(["--card", &parent]);
        }
        let _ = self.world.echodesk(before, &line).well();
    }

    /// What is forecast for a tenant.
    fn forecast(&self, (tenant, assumed): (&str, &str)) -> Vec<String> {
        let days = DAYS.to_string();
        let flags =
            ["forecast", "--json", "--tenant", tenant, "--if", assumed, "--days", &days, "--payments-at", "02:00"];
        let ended = self.world.echodesk(FROM, &[&flags[..], &GRACE].concat());
        let ended = ended.well();
        let forecast: Value = serde_json::from_str(&ended.stdout).unwrap();
        let events = forecast["events"].as_array().unwrap();
        events.iter().map(line).collect()
    }

    fn play(&mut self) {
        for day in 0..DAYS {
            let midnight = moment(FROM) + SignedDuration::from_hours(day * 24);
            self.run(midnight + SignedDuration::from_hours(2), "recurring-payments", &["--settle-for", "1s"]);
            self.run(midnight + SignedDuration::from_hours(3), "subscription-status", &[]);
        }
    }

    fn run(&mut self, at: Timestamp, job: &str, more: &[&str]) {
        self.runs += 1;
        let file = self.world.world.installation.folder.join(format!("played-{}.json", self.runs));
        let name = file.display().to_string();
        let before = self.world.mails.count();
        let all = [&["--report", &name], &GRACE[..], more].concat();
        let child = self.world.command(&at.to_string(), job, &all).spawn().unwrap();
        let ran = Run { child, file }.end();
        assert!(matches!(ran.code(), Some(0 | 1)), "{ran:#?}");
        let mails = self.world.mails.mails_since(before);
        self.happened.extend(mails.iter().map(|mail| format!("{at} {job} {} mail {}", tenant_of(mail), kind(mail))));
        self.report(at, job, &ran);
    }

    fn report(&mut self, at: Timestamp, job: &str, ran: &Ran) {
        for item in ran.report["subscriptions"].as_array().unwrap() {
            let tenant = item["tenant"].as_str().unwrap();
            let what = match (item["outcome"].as_str().unwrap(), item["code"].as_str()) {
                ("paid" | "refused", _) => "charge 50.00".to_owned(),
                ("suspended", _) => "suspend".to_owned(),
                ("skipped", Some("not_due" | "retry_later" | "tenant_inactive")) => continue,
                ("skipped", Some(code)) if self.reasons.insert(format!("{tenant} {code}")) => {
                    format!("not_charged {code}")
                }
                ("skipped" | "reminded" | "urgently_reminded" | "warned", _) => continue,
                other => panic!("{other:?}: {ran:#?}"),
            };
            self.happened.push(format!("{at} {job} {tenant} {what}"));
        }
    }
}

/// An event of a forecast as [`Played::happened`] has it.
fn line(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let detail = ["amount", "kind", "code"].map(text).concat();
    let line = format!("{} {} {} {} {detail}", text("at"), text("job"), text("tenant"), text("what"));
    line.trim_end().to_owned()
}

fn tenant_of(mail: &ReceivedMail) -> String {
    mail.to[0].split('@').next().unwrap().to_owned()
}

fn what_is_forecast_then_happens(place: Place) {
    let Some(mut played) = Played::new(place) else { return };
    let before = played.world.world.dump();
    let mut forecast: Vec<String> = TENANTS.into_iter().flat_map(|tenant| played.forecast(tenant)).collect();
    assert_eq!(played.world.world.dump(), before, "a forecast changes nothing");
    assert_eq!((played.bank.requests().len(), played.world.mails.count()), (0, 0), "and talks to nobody");

    played.play();
    let mut happened = std::mem::take(&mut played.happened);
    forecast.sort();
    happened.sort();
    assert_eq!(forecast, happened);
    let of = |what: &str| happened.iter().filter(|line| line.contains(what)).count();
    assert_eq!((of("charge 50.00"), of(" mail suspended"), played.bank.captures().len()), (5, 2, 1), "{happened:#?}");

    // What has happened is no longer ahead.
    let after = played.world.echodesk("2027-03-15", &["forecast", "--days", "7"]).well();
    assert!(after.stdout.starts_with("nothing to charge, to send or to suspend\n"), "{after:#?}");
}
