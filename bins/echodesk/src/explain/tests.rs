//! The story of a tenant on an embedded database, from its first reminder to its suspension.

use std::sync::Arc;

use clap::Parser as _;
use echodesk_billing::model::{Attempt, BankOrderId, Candidate, OrderId, Refusal};
use echodesk_billing::ports::{
    BillingStore as _, Claim, NewAttempt, Prepared, Random as _, Settlement, Source, StatusStore as _, SystemRandom,
};
use echodesk_billing::rules::due::{Decision, Policy, judge};
use echodesk_billing::rules::expiry::{self, ExpiryPolicy};
use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_core::{ConnectionId, Identity, ManualClock, RunId, Secret};
use echodesk_job::{ExitStatus, tenant};
use echodesk_mail::model::{Endpoint, FolderCursor, FolderStatus, Mailbox, MailboxKey, Security, UidSet};
use echodesk_mail::ports::{Batch, FailureRecord, Lease, MailStore, Scope};
use echodesk_store::{Binding, NewMailbox, NewRun, NoticeState};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::Story;
use super::facts::{Facts, gather};
use crate::cli::{Cli, Command};
use crate::testing::{Bench, now};

const UTC: TimeZone = TimeZone::UTC;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Runs `echodesk explain acme` at another time.
fn explained(bench: &mut Bench, at: &str, flags: &str) -> (String, ExitStatus) {
    bench.world.clock = Arc::new(ManualClock::at(self::at(at)));
    let answer = bench.run(&format!("explain acme {flags}")).unwrap();
    (answer.text, answer.status)
}

fn text(bench: &mut Bench, at: &str) -> String {
    let (text, status) = explained(bench, at, "");
    assert_eq!(status, ExitStatus::Done, "{text}");
    text
}

/// A text on one line: where it is broken is not the question.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the rules say is to be charged is written down, and the bank accepts it.
fn charged(bench: &Bench, when: &str, bank_order: &str) -> Attempt {
    let (now, random) = (at(when), SystemRandom);
    let account = bench.store.accounts_of(acme(bench).id, now).unwrap().remove(0);
    let Decision::Charge(charge) = judge(&account.candidate, &Policy::default(), now) else { panic!("not due") };
    let claim = Claim { run: RunId::random(), until: now, now };
    let new = NewAttempt { charge: &charge, order: OrderId::renewal(random.uuid()), key: random.uuid(), claim };
    let Prepared::Written(attempt) = bench.store.prepare(&new).unwrap() else { panic!("changed") };
    bench.store.accepted(attempt.id, &BankOrderId(bank_order.to_owned()), now).unwrap()
}

fn settled(bench: &Bench, attempt: &Attempt, when: &str, refusal: Option<&Refusal>) {
    let settlement =
        Settlement { refusal, bank_order: None, source: Source::Receipt, now: at(when), run: None, time_zone: &UTC };
    let _ = bench.store.settle(attempt.id, &settlement).unwrap();
}

fn declined() -> Refusal {
    Refusal::Rejected { code: Some("107".to_owned()), reason: None }
}

fn acme(bench: &Bench) -> echodesk_core::Tenant {
    tenant::find(&bench.store, &"acme".parse().unwrap()).unwrap()
}

/// What `subscription-status` does at a time.
fn watched(bench: &Bench, when: &str) {
    let (now, policy) = (at(when), ExpiryPolicy::default());
    let account = bench.store.accounts_of(acme(bench).id, now).unwrap().remove(0);
    match expiry::judge(&account, &policy, now) {
        expiry::Decision::Notify(_, notice) => drop(bench.store.queue_notices(&[(acme(bench).id, *notice)]).unwrap()),
        expiry::Decision::Suspend(_) => {
            drop(bench.store.suspend(account.candidate.subscription, &policy, now).unwrap());
        }
        other => panic!("{other:?}"),
    }
}

/// A mailbox, and the lease of a run that is at it until then.
fn leased(bench: &Bench, until: &str) -> (Mailbox, Lease) {
    let schema = acme(bench).schema;
    let new = NewMailbox {
        address: "support@acme.example".to_owned(),
        display_name: String::new(),
        endpoint: Endpoint { host: "imap.acme.example".to_owned(), port: 993, security: Security::Tls },
        username: "support".to_owned(),
        stored_password: Secret::new("hunter2:signature"),
        sync_folder: "INBOX".to_owned(),
        days_back: 365,
    };
    let id = bench.store.add_mailbox(&schema, &new, now()).unwrap();
    let key = MailboxKey { schema: schema.clone(), connection: id };
    let lease = Lease { holder: RunId::random(), until: at(until) };
    assert!(bench.store.acquire(&key, &lease, now()).unwrap());
    let listed = bench.store.tenants(&Scope::One(schema)).unwrap();
    (listed[0].mailboxes.as_ref().unwrap().1[0].clone(), lease)
}

/// A mailbox whose server has refused the password.
fn mailbox(bench: &Bench, when: &str) -> ConnectionId {
    let (mailbox, lease) = leased(bench, when);
    let id = mailbox.key.connection;
    let error = "the server refused to log in: [AUTHENTICATIONFAILED] Invalid credentials".to_owned();
    let notice = NewNotice {
        kind: NoticeKind::MailboxSwitchedOff { address: mailbox.address.clone(), reason: error.clone() },
        subject_key: format!("mailbox:{id}"),
        period: when.to_owned(),
        decided_at: at(when),
    };
    let failure = FailureRecord { error, failure_count: 1, switch_off: Some(notice), at: at(when) };
    assert!(bench.store.record_failure(&mailbox, &lease, &failure).unwrap());
    MailStore::release(&bench.store, &mailbox.key, &lease).unwrap();
    id
}

fn ran(bench: &Bench, job: &str, when: &str, tenant: Option<&str>, exit_code: i32) {
    let (id, tenant) = (RunId::random(), tenant.map(|tenant| tenant.parse().unwrap()));
    let arguments = "-q".to_owned();
    let run = NewRun { id, job, host: "host-1".to_owned(), version: "1", arguments, tenant, started_at: at(when) };
    bench.store.begin_run(&run).unwrap();
    bench.store.finish_run(id, job, at(when), exit_code, &Value::Null).unwrap();
}

/// Reminded, declined, paid, then not paid any more, and suspended.
fn suspended() -> (Bench, [Attempt; 2]) {
    let bench = Bench::subscribed();
    watched(&bench, "2026-11-22T10:00:02Z");
    let first = charged(&bench, "2026-11-22T10:00:05Z", "b-1");
    settled(&bench, &first, "2026-11-22T10:00:09Z", Some(&declined()));
    let second = charged(&bench, "2026-11-23T10:00:05Z", "b-2");
    settled(&bench, &second, "2026-11-23T10:01:00Z", None);
    let _ = mailbox(&bench, "2026-11-24T08:00:00Z");
    ran(&bench, "recurring-payments", "2026-11-23T10:00:00Z", None, 1);
    ran(&bench, "sync-emails", "2026-11-25T07:00:00Z", Some("acme"), 1);
    ran(&bench, "sync-emails", "2026-11-25T07:30:00Z", Some("globex"), 0);
    watched(&bench, "2026-12-25T03:00:00Z");
    watched(&bench, "2026-12-31T03:00:00Z");
    (bench, [first, second])
}

/// Orders have random names.
fn with_fixed_names(text: String, attempts: &[Attempt]) -> String {
    let numbered = (1..).zip(attempts);
    numbered
        .fold(text, |text, (number, attempt)| text.replace(attempt.order.as_str(), &format!("REC-00000000000{number}")))
}

#[test]
fn the_story_reads_from_the_first_reminder_to_the_suspension() {
    let (mut bench, attempts) = suspended();
    let text = with_fixed_names(text(&mut bench, "2027-01-02T09:00:00Z"), &attempts);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert!(!text.contains("hunter2"), "no password is told");
    // A run has a random name only in JSON.
    insta::assert_snapshot!(text);
}

#[test]
fn machines_get_the_same_under_names_that_stay() {
    let (mut bench, attempts) = suspended();
    let (text, _) = explained(&mut bench, "2027-01-02T09:00:00Z", "--json");
    assert!(!text.contains("hunter2"), "no password is told");
    let story: Value = serde_json::from_str(&text).unwrap();
    let events: Vec<&str> =
        story["happened"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    for event in ["period", "charge_prepared", "charge_refused", "charge_paid", "suspended", "mailbox_switched_off"] {
        assert!(events.contains(&event), "{event}: {events:?}");
    }
    let of = |event: &str| story["happened"].as_array().unwrap().iter().find(|entry| entry["event"] == event).unwrap();
    assert_eq!(of("charge_refused")["about"], attempts[0].order.as_str());
    assert_eq!(of("charge_paid")["at"], "2026-11-23T10:01:00Z");
    let verdicts: Vec<&str> =
        story["next"].as_array().unwrap().iter().map(|next| next["verdict"].as_str().unwrap()).collect();
    assert_eq!(
        verdicts[..5],
        ["not_ready", "not_ready", "tenant_inactive", "suspended", "off"],
        "there is no bank, and nobody has bound it: {verdicts:?}"
    );
    assert_eq!(story["subscriptions"][0]["payment_status"], "current");
    assert_eq!((&story["tenant"]["active"], &story["only_newest_of"]), (&Value::Bool(false), &serde_json::json!([])));
}

#[test]
fn how_many_messages_a_folder_has_is_not_told_while_it_is_in_doubt() {
    let mut bench = Bench::subscribed();
    let (mailbox, lease) = leased(&bench, "2026-12-31T00:00:00Z");
    let mut on_server = |messages| {
        let status = FolderStatus { uid_validity: 7, uid_next: 4, messages, highest_mod_seq: None };
        let (folder, pending) = ("INBOX".to_owned(), UidSet::new());
        let cursor = FolderCursor { folder, status, pending, window_start: None, suspect: None };
        bench.store.store(&mailbox, &lease, &Batch { cursor, items: Vec::new(), now: now() }).unwrap();
        let (text, _) = explained(&mut bench, "2026-12-30T09:00:00Z", "--json");
        let story: Value = serde_json::from_str(&text).unwrap();
        story["mailboxes"][0]["folders"][0]["on_server"].clone()
    };
    assert_eq!((on_server(3), on_server(FolderStatus::NOT_COUNTED)), (Value::from(3), Value::Null));
}

#[test]
fn what_happened_before_a_time_is_left_out_on_request() {
    let (mut bench, _) = suspended();
    let (text, _) = explained(&mut bench, "2027-01-02T09:00:00Z", "--since 2026-12-26 --days 0");
    assert!(text.contains("2026-12-31") && !text.contains("2026-12-25\n") && !text.contains("REC-"), "{text}");
    assert!(!text.contains("COMING UP"), "{text}");
}

/// The story, on one line, of facts that were changed after they were read.
fn told(bench: &mut Bench, when: &str, change: impl FnOnce(&mut Facts)) -> String {
    bench.world.clock = Arc::new(ManualClock::at(at(when)));
    let Command::Explain(args) = Cli::parse_from(["echodesk", "explain", "acme"]).command else { panic!() };
    let mut facts = gather(&bench.store, &bench.world, &args).unwrap();
    change(&mut facts);
    flat(&super::text::of(&Story::of(facts)))
}

#[test]
fn each_verdict_on_a_card_says_why_it_is_not_charged_and_what_to_do() {
    fn candidate(facts: &mut Facts) -> &mut Candidate {
        &mut facts.billing.as_mut().unwrap_or_else(|why| panic!("{why}")).accounts[0].candidate
    }
    type Change = fn(&mut Facts);
    let today = "2026-11-22T10:00:00Z";
    let table: [(&str, Change, &str); 8] = [
        (today, |_| (), "charges 50.00 GEL to the card saved on the bank's order card-1, attempt 1"),
        ("2026-11-20T10:00:00Z", |_| (), "not due before 2026-11-21 00:00 (3 days before 2026-11-24 00:00)"),
        ("2026-12-20T10:00:00Z", |_| (), "does not charge any more: what expired at 2026-11-24 00:00"),
        (
            today,
            |facts| candidate(facts).feature_prices = vec![9.into()],
            "does not charge: the price is 45.00 GEL and the saved card can only be charged 50.00 GEL",
        ),
        (
            today,
            |facts| {
                candidate(facts).seen.parent = None;
                candidate(facts).newest_card_order = None;
            },
            "does not charge: no saved card -> the customer has to pay once in person",
        ),
        (today, |facts| candidate(facts).seen.active = false, "does not charge: the subscription is suspended -> "),
        (today, |facts| candidate(facts).feature_prices = vec![], "does not charge: nothing to pay"),
        (today, |facts| candidate(facts).seen.provider = "paddle".to_owned(), "does not charge: billed by paddle"),
    ];
    for (when, change, expected) in table {
        let text = told(&mut Bench::subscribed(), when, change);
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn an_order_without_an_answer_is_the_reason_and_has_a_way_out() {
    let mut bench = Bench::subscribed();
    let attempt = bench.prepare();
    bench.store.unanswered(attempt.id, "no answer within 30s", now()).unwrap();
    let order = &attempt.order;
    let early = flat(&text(&mut bench, "2026-11-22T12:00:00Z"));
    assert!(early.contains(&format!("order {order} is open; the next run will repeat the call")), "{early}");
    assert!(early.contains(&format!("does not charge: order {order} is open (unknown)")), "{early}");
    assert!(early.contains("whether the bank has charged is not known: no answer within 30s"), "{early}");
    let late = flat(&text(&mut bench, "2026-11-24T12:00:00Z"));
    assert!(late.contains(&format!("`echodesk orders resolve {order} --paid")), "{late}");
    assert!(late.contains(&format!("withholds the warning: order {order} is open")), "{late}");
}

#[test]
fn paid_and_not_extended_is_told_with_the_order() {
    let mut bench = Bench::subscribed();
    let attempt = charged(&bench, "2026-11-22T10:00:00Z", "b-1");
    settled(&bench, &attempt, "2026-11-22T10:01:00Z", None);
    let text = told(&mut bench, "2026-11-25T10:00:00Z", |facts| {
        let Ok(billing) = &mut facts.billing else { panic!() };
        billing.accounts[0].candidate.seen.expires_at = Some(at("2026-11-24T00:00:00Z"));
    });
    let order = &attempt.order;
    assert!(text.contains(&format!("does not charge: order {order} has paid for this period")), "{text}");
    assert!(
        text.contains(&format!("withholds the warning: order {order} is paid and the subscription was not")),
        "{text}"
    );
    assert!(text.contains("-> extend the subscription in EchoDesk"), "{text}");
}

#[test]
fn an_order_of_which_echodesk_says_something_else_stands_out() {
    let mut bench = Bench::subscribed();
    let attempt = charged(&bench, "2026-11-22T10:00:00Z", "b-1");
    settled(&bench, &attempt, "2026-11-22T10:01:00Z", Some(&declined()));
    let warning = "EchoDesk has it as paid, our ledger as failed: look it up at the bank";
    let as_paid = |facts: &mut Facts| {
        let Ok(billing) = &mut facts.billing else { panic!() };
        let order = billing.story.orders.rows.iter_mut().find(|order| order.order.starts_with("REC-")).unwrap();
        assert_eq!(order.status, "failed");
        order.status = "paid".to_owned();
    };
    assert!(told(&mut bench, "2026-11-22T11:00:00Z", as_paid).contains(warning));
    assert!(!told(&mut bench, "2026-11-22T11:00:00Z", |_| ()).contains(warning));
}

#[test]
fn notices_that_were_not_sent_say_why_and_how_to_go_on() {
    let mut bench = Bench::subscribed();
    watched(&bench, "2026-11-22T10:00:02Z");
    let waiting = told(&mut bench, "2026-11-22T11:00:00Z", |_| ());
    let expected = "(urgent reminder) waits, to be sent to a@acme.example by the next run of any job";
    assert!(waiting.contains(expected), "{waiting}");
    let parked = told(&mut bench, "2026-11-22T13:00:00Z", |facts| {
        let entry = &mut facts.notices.rows[0].entry;
        (entry.state, entry.attempts) = (NoticeState::Parked, 3);
        entry.why = Some("550 5.1.1 no such user".to_owned());
        entry.closed_at = Some(at("2026-11-22T12:00:00Z"));
    });
    assert!(parked.contains("not sent after 3 attempts: 550 5.1.1 no such user"), "{parked}");
    assert!(parked.contains("`echodesk notices retry 1`"), "{parked}");
}

#[test]
fn a_part_that_cannot_be_read_is_told_and_the_rest_as_well() {
    let text = told(&mut Bench::subscribed(), "2026-11-22T11:00:00Z", |facts| {
        facts.billing = Err("permission denied for table tenants_invoice".to_owned());
        assert!(!facts.is_whole());
    });
    assert!(text.contains("the payments cannot be read: permission denied for table tenants_invoice"), "{text}");
    assert!(text.contains("sync-emails: has not run on this database nothing: there is no mailbox"), "{text}");
}

#[test]
fn a_job_that_would_not_start_is_told_first_and_where_it_would_act() {
    let mut bench = Bench::subscribed();
    let text = text(&mut bench, "2026-11-22T12:00:00Z");
    let (head, rest) = text.split_once("WHAT HAPPENED").unwrap();
    assert!(flat(head).contains("REFUSED HERE recurring-payments would not start"), "{text}");
    let rest = flat(rest);
    assert!(rest.contains("does not start here: BOG_CLIENT_ID and BOG_CLIENT_SECRET are not set"), "{rest}");
    assert!(rest.contains("(UTC) not as things are: recurring-payments would not start here"), "{rest}");

    let settings = [("BOG_CLIENT_ID", "shop"), ("BOG_CLIENT_SECRET", "hunter2"), ("ECHODESK_ENVIRONMENT", "staging")];
    bench.world.settings.environment = settings.into_iter().collect();
    let trial = Identity { environment: "trial".to_owned(), bank_client: Some("shop".to_owned()), mail_host: None };
    bench.store.bind(&trial, Binding::Own, "host", now()).unwrap();
    let (json, _) = explained(&mut bench, "2026-11-22T12:00:00Z", "--json");
    let story: Value = serde_json::from_str(&json).unwrap();
    let refused = story["refused_here"].as_array().unwrap();
    let jobs: Vec<&str> = refused.iter().map(|one| one["job"].as_str().unwrap()).collect();
    assert_eq!(jobs, ["recurring-payments", "subscription-status", "sync-emails"], "{refused:?}");
    let not_ready = story["next"].as_array().unwrap().iter().filter(|next| next["verdict"] == "not_ready");
    assert_eq!(not_ready.count(), 3, "each under its job");
}

#[test]
fn the_times_of_the_crontab_are_those_of_the_next_days() {
    let mut bench = Bench::subscribed();
    let (text, _) = explained(&mut bench, "2026-11-22T10:00:00Z", "--payments-at 02:00,14:00 --status-at 04:30");
    assert!(text.contains("with --payments-at 02:00,14:00 and --status-at 04:30 (UTC)"), "{text}");
    assert!(text.contains("2026-11-22 14:00  recurring-payments"), "{text}");
    let (json, _) = explained(&mut bench, "2026-11-22T10:00:00Z", "--payments-at 14:00 --json");
    let story: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(story["assumed"]["payments_at"], serde_json::json!(["14:00"]));
    assert_eq!(story["coming_up"][0]["at"], "2026-11-22T14:00:00Z");
}

#[test]
fn a_card_whose_last_charge_was_refused_for_good_is_told_wherever_it_is_charged() {
    let mut bench = Bench::subscribed();
    let attempt = charged(&bench, "2026-11-22T10:00:00Z", "b-1");
    let expired = Refusal::Rejected { code: Some("105".to_owned()), reason: None };
    settled(&bench, &attempt, "2026-11-22T10:01:00Z", Some(&expired));
    let said = "its last charge was refused for good on 2026-11-22 10:01: the card has expired (code 105)";
    // Paid by hand meanwhile, with no other card.
    let by_hand = |facts: &mut Facts| {
        let Ok(billing) = &mut facts.billing else { panic!() };
        billing.accounts[0].candidate.seen.expires_at = Some(at("2026-12-24T00:00:00Z"));
    };
    let early = told(&mut bench, "2026-12-15T10:00:00Z", by_hand);
    assert_eq!(early.matches(said).count(), 2, "beside the card, and where it is charged: {early}");
    assert!(early.contains("attempt 1; if it is paid, extended until"), "the rules do charge it: {early}");
    let due = told(&mut bench, "2026-12-22T10:00:00Z", by_hand);
    assert_eq!(due.matches(said).count(), 3, "{due}");
    let (json, _) = explained(&mut bench, "2026-12-15T10:00:00Z", "--json");
    let story: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(story["subscriptions"][0]["card_refused"]["for_good"], true);
}

#[test]
fn a_notice_that_was_decided_on_says_what_became_of_it_and_what_comes_next() {
    let mut bench = Bench::subscribed();
    watched(&bench, "2026-11-22T10:00:02Z");
    let waits = told(&mut bench, "2026-11-22T11:00:00Z", |_| ());
    let next = "; next: a warning each day from 2026-11-24 00:00 on unless it is paid";
    assert!(waits.contains(&format!("nothing: the urgent reminder waits to be sent{next}")), "{waits}");
    let sent = told(&mut bench, "2026-11-22T13:00:00Z", |facts| {
        let entry = &mut facts.notices.rows[0].entry;
        (entry.state, entry.closed_at) = (NoticeState::Sent, Some(at("2026-11-22T12:00:00Z")));
    });
    assert!(sent.contains(&format!("nothing: the urgent reminder was sent on 2026-11-22 12:00{next}")), "{sent}");
    watched(&bench, "2026-11-25T10:00:00Z");
    let grace = told(&mut bench, "2026-11-25T11:00:00Z", |_| ());
    let next = "; next: a warning each day, and suspended from 2026-12-01 00:00 on unless it is paid";
    assert!(grace.contains(&format!("nothing: today's warning waits to be sent{next}")), "{grace}");
}

#[test]
fn who_is_nobody_is_told_whom_one_may_have_meant() {
    let bench = Bench::new();
    let error = bench.run("explain acmee").unwrap_err();
    assert_eq!((error.to_string().as_str(), error.status().code()), ("no tenant acmee; did you mean acme?", 2));
    let empty = bench.run("explain acme").unwrap().text;
    assert!(empty.contains("nothing: there is no subscription"), "{empty}");
}
