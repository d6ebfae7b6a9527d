//! Notices on an embedded database.

use echodesk_billing::ports::StatusStore as _;
use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_core::{NoticeId, RunId};
use echodesk_job::ExitStatus;
use echodesk_notify::ports::{Claim, Fate, Outbox as _};

use crate::testing::{Bench, now};

/// A bench on which mailboxes of acme were switched off; the notices' ids.
fn told_of(mailboxes: &[&str]) -> (Bench, Vec<NoticeId>) {
    let bench = Bench::new();
    let tenant = bench.store.tenants_list().unwrap().remove(0).id;
    let notice = |address: &&str| NewNotice {
        kind: NoticeKind::MailboxSwitchedOff { address: (*address).to_owned(), reason: "refused".to_owned() },
        subject_key: format!("mailbox:{address}"),
        period: "2026-11-22".to_owned(),
        decided_at: now(),
    };
    let notices: Vec<_> = mailboxes.iter().map(|address| (tenant, notice(address))).collect();
    assert!(bench.store.queue_notices(&notices).unwrap().iter().all(|queued| *queued));
    let claim = Claim { run: RunId::random(), until: now(), now: now() };
    let ids = bench.store.claim(&claim, None, 10).unwrap().notices.iter().map(|notice| notice.id).collect();
    (bench, ids)
}

fn close(bench: &Bench, id: NoticeId, fate: Fate) {
    let run = RunId::random();
    let until = "2026-11-22T10:10:00Z".parse().unwrap();
    assert!(!bench.store.claim(&Claim { run, until, now: now() }, None, 10).unwrap().notices.is_empty());
    bench.store.record(run, &[(id, fate)], now()).unwrap();
    bench.store.release(run).unwrap();
}

#[test]
fn a_parked_notice_is_shown_with_its_reason_and_queued_again_when_a_person_says_so() {
    let (bench, ids) = told_of(&["a@acme.example", "b@acme.example"]);
    close(&bench, ids[0], Fate::Parked { why: "550 no such user".to_owned() });
    let all = bench.run("notices list").unwrap().text;
    assert!(all.contains("550 no such user") && all.contains("mailbox:b@acme.example"), "{all}");
    let parked = bench.run("notices list --parked").unwrap().text;
    assert!(!parked.contains("mailbox:b@acme.example"), "{parked}");
    assert_eq!(bench.run("notices list --sent").unwrap().text, "no notice is sent\n");

    let refused = bench.run("notices retry 999").unwrap();
    assert_eq!(refused.status, ExitStatus::DoneWithFailures, "{}", refused.text);
    let done = bench.run(&format!("notices retry {}", ids[0])).unwrap();
    assert_eq!((done.text.as_str(), done.status), ("1 notice is sent by the next job\n", ExitStatus::Done));
    assert_eq!(bench.run("notices list --parked").unwrap().text, "no notice is parked\n");
}

#[test]
fn the_newest_are_shown_and_the_older_ones_counted() {
    let (bench, ids) = told_of(&["a@acme.example", "b@acme.example", "c@acme.example"]);
    let text = bench.run("notices list --queued --limit 2").unwrap().text;
    assert!(!text.contains("a@acme") && text.contains("b@acme") && text.contains("c@acme"), "{text}");
    assert!(text.ends_with("… and 1 older: --limit\n"), "{text}");
    let rows: serde_json::Value =
        serde_json::from_str(&bench.run("notices list --json --limit 1").unwrap().text).unwrap();
    assert_eq!(rows[0]["id"], ids[2].0);
}

#[test]
fn what_a_notice_says_is_shown_in_every_language_without_a_database() {
    let bench = Bench::new();
    for language in ["en", "ka", "ru"] {
        let text = bench.run(&format!("notices preview reminder --language {language}")).unwrap().text;
        assert!(text.starts_with("Subject: ") && text.contains("\n\n") && !text.contains('<'), "{text}");
        let html = bench.run(&format!("notices preview reminder --language {language} --html -")).unwrap().text;
        assert!(html.contains(&format!("lang=\"{language}\"")), "{html}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reminder.html");
    let told = bench.run(&format!("notices preview reminder --html {}", file.display())).unwrap().text;
    assert!(told.contains(&file.display().to_string()), "{told}");
    assert!(std::fs::read_to_string(&file).unwrap().contains("</html>"));
    let nowhere = format!("notices preview reminder --html {}/no/where", folder.path().display());
    assert_eq!(bench.run(&nowhere).unwrap_err().status(), ExitStatus::Usage);
}

#[test]
fn a_test_mail_goes_the_way_that_notices_go() {
    let bench = Bench::new();
    let told = bench.run("send-test-email ops@acme.example --language ru").unwrap();
    assert!(told.text.contains("took the mail from noreply@localhost to ops@acme.example"), "{}", told.text);
    assert_eq!(told.status, ExitStatus::Done);
}
