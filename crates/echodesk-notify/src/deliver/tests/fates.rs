//! What becomes of notices.

use std::sync::atomic::{AtomicBool, Ordering};

use echodesk_core::notice::{NoticeKind, RenewalPlan};

use super::*;
use crate::ports::SendError;
use crate::rules::NOT_YET_FOR;
use crate::testing::Reply;

fn refused(why: &str) -> Reply {
    Reply::Fail(SendError::Refused(why.to_owned()))
}

#[tokio::test]
async fn nothing_queued_opens_no_connection() {
    let scene = Scene::new([], ScriptedTransport::willing());
    assert_eq!(scene.deliver().await, DeliveryReport::default());
    assert_eq!(scene.transport.connections(), 0);
}

#[tokio::test]
async fn one_connection_delivers_the_oldest_first_and_writes_down_in_groups() {
    let scene = Scene::new(notices(200), ScriptedTransport::willing());
    // Else it may be done each time before the next is sent.
    scene.outbox.set_slow(std::time::Duration::from_millis(5));
    let report = scene.deliver().await;
    assert_eq!(report, DeliveryReport { delivered: 200, ..DeliveryReport::default() });
    let to: Vec<String> = scene.transport.taken().into_iter().map(|mail| mail.to).collect();
    let expected: Vec<String> = (1..=200).map(|id| format!("admin{id}@acme.example")).collect();
    assert_eq!((to, scene.transport.connections()), (expected, 1));
    let records = scene.outbox.records();
    assert_eq!(records.iter().sum::<usize>(), 200);
    assert!(records.len() < 200, "{records:?}");
    assert_eq!(scene.notes.0.lock().unwrap().len(), 200);
    scene.assert_no_claims();
    // There is nothing left for another run.
    assert_eq!(scene.deliver().await, DeliveryReport::default());
}

#[tokio::test]
async fn many_notices_get_more_connections_but_not_too_many() {
    let scene = Scene::new(notices(3000), ScriptedTransport::willing());
    assert_eq!(scene.deliver().await.delivered, 3000);
    let most = scene.transport.most_open();
    assert!((2..=4).contains(&most), "{most}");
    assert_eq!(scene.states(), BTreeMap::from([("sent", 3000)]));
}

#[tokio::test]
async fn a_server_with_room_for_one_connection_gets_one() {
    let transport = ScriptedTransport::willing().down_beyond(1, "421 too many connections");
    let scene = Scene::new(notices(2000), transport);
    let report = scene.deliver().await;
    assert_eq!(report, DeliveryReport { delivered: 2000, ..DeliveryReport::default() });
    assert_eq!(scene.transport.most_open(), 1);
}

#[tokio::test]
async fn each_answer_has_its_fate() {
    let mut overtaken = queued(5);
    overtaken.kind = Ok(NoticeKind::MailboxSwitchedOff { address: String::new(), reason: String::new() });
    let mut unreadable = queued(6);
    unreadable.kind = Err("a kind that is not known".to_owned());
    let mut nowhere = queued(7);
    nowhere.tenant.admin_email = " ".to_owned();
    let all = [queued(1), queued(2), queued(3), queued(4), overtaken, unreadable, nowhere, queued(8)];
    let scene = Scene::new(
        all,
        ScriptedTransport::new(|_, mail| match mail.to.as_str() {
            "admin2@acme.example" => refused("550 5.1.1 unknown"),
            "admin3@acme.example" => Reply::Fail(SendError::NotNow("452 full".to_owned())),
            "admin4@acme.example" => Reply::Fail(SendError::Broken("hung up".to_owned())),
            _ => Reply::Take,
        }),
    );
    let report = scene.deliver().await;
    let waiting = Waiting { queued: 2, tried: 2, parked: 3 };
    let expected =
        DeliveryReport { delivered: 2, withdrawn: 1, parked: 3, again: 2, waiting, ..DeliveryReport::default() };
    assert_eq!(report, expected);
    assert!(report.has_failures());
    for (id, state, why) in [
        (1, RowState::Sent, None),
        (2, RowState::Parked, Some("550 5.1.1 unknown")),
        (3, RowState::Queued, Some("452 full")),
        (4, RowState::Queued, Some("hung up")),
        (5, RowState::Withdrawn, Some("the mailbox was deleted")),
        (6, RowState::Parked, Some("it cannot be read: a kind that is not known")),
        (7, RowState::Parked, Some("no mail can go to the tenant's admin_email: there is no address")),
        (8, RowState::Sent, None),
    ] {
        let row = scene.row(id);
        assert_eq!((row.state, row.why.as_deref()), (state, why), "{id}");
    }
    assert_eq!(scene.transport.connections(), 2, "one more after the one that broke");
    assert_eq!(scene.row(3).not_before.to_string(), "1970-01-02T00:05:00Z");
    scene.assert_no_claims();
}

#[tokio::test]
async fn what_was_refused_for_now_goes_in_a_later_run_when_its_time_has_come() {
    let first = AtomicBool::new(true);
    let scene = Scene::new(
        notices(1),
        ScriptedTransport::new(move |_, _| {
            if first.swap(false, Ordering::SeqCst) {
                Reply::Fail(SendError::NotNow("451 greylisted".to_owned()))
            } else {
                Reply::Take
            }
        }),
    );
    assert_eq!(scene.deliver().await.again, 1);
    scene.clock.advance(Duration::from_secs(299));
    let meanwhile = scene.deliver().await;
    assert_eq!(meanwhile, DeliveryReport { waiting: tried(1), ..DeliveryReport::default() });
    assert!(meanwhile.has_failures(), "somebody still waits for what was tried in vain");
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(scene.deliver().await.delivered, 1);
    assert_eq!(scene.row(1).notice.attempts, 2);
}

#[tokio::test]
async fn an_open_charge_keeps_a_notice_back_and_that_is_no_failure() {
    let mut notice = queued(1);
    let expires_at = "1970-01-03T00:00:00Z".parse().unwrap();
    notice.kind = Ok(NoticeKind::UrgentReminder { expires_at, renewal: RenewalPlan::ByHand, price: None });
    let subscription = notice.situation.subscription.as_mut().unwrap();
    (subscription.expires_at, subscription.charge_open) = (Some(expires_at), true);
    let scene = Scene::new([notice], ScriptedTransport::willing());
    let report = scene.deliver().await;
    assert_eq!(report, DeliveryReport { postponed: 1, waiting: untried(1), ..DeliveryReport::default() });
    assert!(!report.has_failures() && scene.transport.connections() == 0);
    assert_eq!(scene.row(1).not_before.duration_since(scene.clock.now()), NOT_YET_FOR);
    assert_eq!(scene.row(1).notice.attempts, 0, "it was not tried");
    assert!(matches!(&scene.notes.0.lock().unwrap()[..], [(1, Fate::Later { .. })]));
}

#[tokio::test]
async fn refusals_that_a_taken_mail_follows_are_parked() {
    let transport = ScriptedTransport::new(|nth, _| if nth < 4 { refused("550 no such user") } else { Reply::Take });
    let scene = Scene::new(notices(6), transport);
    let report = scene.deliver().await;
    assert_eq!((report.delivered, report.parked, report.trouble), (2, 4, None));
}

#[tokio::test]
async fn refusals_alone_are_believed_if_they_are_few() {
    let scene = Scene::new(notices(4), ScriptedTransport::new(|_, _| refused("550 no such user")));
    let report = scene.deliver().await;
    assert_eq!((report.parked, report.trouble), (4, None));
}

#[tokio::test]
async fn a_policy_parks_nobody_unless_the_server_has_taken_another_mail() {
    for (refusal, taken_first, parked) in [
        ("554 5.7.1 rejected", false, false),
        ("550 relaying denied", false, false),
        ("554 5.7.1 rejected", true, true),
        ("550 no such user", false, true),
    ] {
        let transport = ScriptedTransport::new(move |nth, _| match nth {
            0 if taken_first => Reply::Take,
            1 => refused("550 also bad"),
            _ => refused(refusal),
        });
        let scene = Scene::new(notices(3), transport);
        let report = scene.deliver().await;
        let expected = if parked { (3 - u64::from(taken_first), 0) } else { (0, 3) };
        assert_eq!((report.parked, report.again), expected, "{refusal}");
        assert_eq!(report.trouble.is_some_and(|why| why.contains(refusal)), !parked, "{refusal}");
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_written_to_is_parked_at_once_and_blames_nobody_else() {
    let why = "it has no SMTPUTF8";
    let transport = ScriptedTransport::new(move |nth, _| match nth {
        0..6 => Reply::Fail(SendError::Unwritable(why.to_owned())),
        _ => Reply::Take,
    });
    let scene = Scene::new(notices(8), transport);
    let report = scene.deliver().await;
    assert_eq!((report.delivered, report.parked, report.trouble), (2, 6, None));
    assert_eq!((scene.row(1).why.as_deref(), scene.transport.connections()), (Some(why), 1));
}

#[tokio::test]
async fn who_is_exempt_is_not_reminded() {
    let mut notice = queued(1);
    let expires_at = "1970-01-03T00:00:00Z".parse().unwrap();
    notice.kind = Ok(NoticeKind::UrgentReminder { expires_at, renewal: RenewalPlan::ByHand, price: None });
    notice.situation.subscription.as_mut().unwrap().expires_at = Some(expires_at);
    let mut scene = Scene::new([notice], ScriptedTransport::willing());
    scene.options.exempt.insert("acme".parse().unwrap());
    assert_eq!(scene.deliver().await, DeliveryReport { withdrawn: 1, ..DeliveryReport::default() });
}

#[tokio::test]
async fn one_tenant_alone_is_delivered_if_so_wished() {
    let mut other = queued(2);
    other.tenant.id = TenantId(2);
    let mut scene = Scene::new([queued(1), other], ScriptedTransport::willing());
    scene.options.tenant = Some(TenantId(2));
    assert_eq!(scene.deliver().await, DeliveryReport { delivered: 1, ..DeliveryReport::default() });
    assert_eq!(scene.row(1).state, RowState::Queued);
}
