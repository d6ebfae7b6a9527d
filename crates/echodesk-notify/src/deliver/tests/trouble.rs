//! Servers and programs that fail in the middle.

use super::*;
use crate::ports::SendError;
use crate::testing::Reply;

fn fail(error: SendError) -> ScriptedTransport {
    ScriptedTransport::new(move |_, _| Reply::Fail(error.clone()))
}

#[tokio::test]
async fn a_server_that_is_away_costs_no_notice_anything() {
    let scene = Scene::new(notices(300), ScriptedTransport::willing().down_beyond(0, "connection refused"));
    let report = scene.deliver().await;
    assert_eq!(report.trouble.as_deref(), Some("connection refused"));
    assert_eq!((report.waiting, report.again, report.parked), (untried(300), 0, 0));
    assert!(scene.outbox.rows().iter().all(|row| row.notice.attempts == 0));
    scene.assert_no_claims();
}

#[tokio::test]
async fn a_server_that_refuses_us_is_trouble_at_once() {
    let scene = Scene::new(notices(300), fail(SendError::Down("530 log in first".to_owned())));
    let report = scene.deliver().await;
    assert_eq!((report.trouble.as_deref(), report.waiting), (Some("530 log in first"), untried(300)));
    assert!(scene.outbox.rows().iter().all(|row| row.notice.attempts == 0));
    scene.assert_no_claims();
}

#[tokio::test]
async fn a_server_that_closes_after_some_mails_is_called_again() {
    // It takes two mails on each connection; the third is told to come back.
    let transport = ScriptedTransport::new(|nth, _| match nth % 3 {
        2 => Reply::Fail(SendError::Down("421 enough".to_owned())),
        _ => Reply::Take,
    });
    let scene = Scene::new(notices(20), transport);
    let report = scene.deliver().await;
    assert_eq!((report.delivered, report.trouble, scene.transport.connections()), (20, None, 10));
    assert!(scene.outbox.rows().iter().all(|row| row.notice.attempts == 1));
}

#[tokio::test]
async fn five_refusals_in_a_row_are_taken_for_our_fault_and_park_nobody() {
    let scene = Scene::new(notices(100), fail(SendError::Refused("554 5.7.1 relay access denied".to_owned())));
    let report = scene.deliver().await;
    let trouble = report.trouble.unwrap();
    assert!(trouble.contains("it may be us") && trouble.contains("relay access denied"), "{trouble}");
    assert_eq!((report.parked, report.again, report.waiting.queued), (0, 5, 100));
    scene.assert_no_claims();
}

#[tokio::test]
async fn those_that_are_always_refused_do_not_block_the_queue_for_ever() {
    let is_bad = |mail: &crate::Mail| mail.to.len() == "admin1@acme.example".len();
    let scene = Scene::new(
        notices(30),
        ScriptedTransport::new(move |_, mail| {
            if is_bad(mail) { Reply::Fail(SendError::Refused("550 rejected".to_owned())) } else { Reply::Take }
        }),
    );
    for _ in 0..6 {
        scene.deliver().await;
        scene.clock.advance(Duration::from_hours(8));
    }
    assert_eq!(scene.states(), BTreeMap::from([("parked", 9), ("sent", 21)]));
}

#[tokio::test]
async fn a_connection_that_always_breaks_is_trouble_after_three_more_tries() {
    let scene = Scene::new(notices(100), fail(SendError::Broken("hung up".to_owned())));
    let report = scene.deliver().await;
    assert_eq!((report.trouble.as_deref(), report.again, scene.transport.connections()), (Some("hung up"), 4, 4));
    assert_eq!(report.waiting, Waiting { queued: 100, tried: 4, parked: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_hangs_is_cut_off_before_its_claim_ends() {
    let transport = ScriptedTransport::new(|nth, _| if nth == 1 { Reply::Hang } else { Reply::Take });
    let scene = Scene::new(notices(3), transport);
    let report = scene.deliver().await;
    assert_eq!((report.delivered, report.again, report.trouble), (2, 1, None));
    assert_eq!(scene.row(2).why.as_deref(), Some("not sent within 750s"));
}

#[tokio::test]
async fn an_old_claim_is_given_back_and_taken_anew() {
    let clock = Arc::new(ManualClock::at("1970-01-02T00:00:00Z".parse().unwrap()));
    let slow = Arc::clone(&clock);
    let transport = ScriptedTransport::new(move |nth, _| {
        if nth == 0 {
            slow.advance(Duration::from_mins(13));
        }
        Reply::Take
    });
    let mut scene = Scene::new(notices(600), transport);
    scene.clock = clock;
    scene.options.budget = Duration::from_hours(1);
    let report = scene.deliver().await;
    let gone_back = scene.notes.0.lock().unwrap().iter().filter(|(_, fate)| *fate == Fate::Back).count();
    assert!(gone_back >= 255, "{gone_back}");
    // Each was sent once, or is left for the next run.
    assert_eq!(report.delivered + report.waiting.queued, 600);
    assert_eq!(scene.transport.taken().len() as u64, report.delivered);
    scene.deliver().await;
    assert_eq!(scene.transport.taken().len(), 600);
}

#[tokio::test]
async fn asked_to_stop_it_finishes_what_is_in_flight_and_gives_the_rest_back() {
    let stop = StopToken::new();
    let asked = stop.clone();
    let transport = ScriptedTransport::new(move |nth, _| {
        if nth == 9 {
            asked.stop();
        }
        Reply::Take
    });
    let mut scene = Scene::new(notices(200), transport);
    scene.stop = stop;
    let report = scene.deliver().await;
    assert!(report.stopped);
    assert_eq!((report.delivered, report.waiting, scene.transport.taken().len()), (10, untried(190), 10));
    scene.assert_no_claims();
}

#[tokio::test]
async fn after_its_budget_nothing_new_is_begun() {
    let clock = Arc::new(ManualClock::at("1970-01-02T00:00:00Z".parse().unwrap()));
    let slow = Arc::clone(&clock);
    let transport = ScriptedTransport::new(move |_, _| {
        slow.advance(Duration::from_mins(1));
        Reply::Take
    });
    let mut scene = Scene::new(notices(100), transport);
    scene.clock = clock;
    scene.options.budget = Duration::from_mins(3);
    let report = scene.deliver().await;
    assert_eq!((report.delivered, report.waiting, report.stopped), (3, untried(97), false));
    assert!(report.out_of_time && report.has_failures());
    scene.assert_no_claims();
}

#[tokio::test]
async fn a_budget_that_ends_with_the_last_mail_left_nothing() {
    let mut scene = Scene::new(notices(3), ScriptedTransport::willing());
    let clock = Arc::clone(&scene.clock);
    scene.transport = Arc::new(ScriptedTransport::new(move |nth, _| {
        if nth == 2 {
            clock.advance(Duration::from_mins(11));
        }
        Reply::Take
    }));
    assert_eq!(scene.deliver().await, DeliveryReport { delivered: 3, ..DeliveryReport::default() });
}

#[tokio::test]
async fn a_recipient_that_ends_the_connection_does_not_block_the_queue() {
    let transport = ScriptedTransport::new(|_, mail| {
        if mail.to == "admin1@acme.example" {
            Reply::Fail(SendError::Broken("421 4.7.0 go away (after RCPT TO)".to_owned()))
        } else {
            Reply::Take
        }
    });
    let scene = Scene::new(notices(30), transport);
    let report = scene.deliver().await;
    assert_eq!((report.delivered, report.again, report.trouble), (29, 1, None));
    assert_eq!(scene.row(1).notice.attempts, 1);
}

#[tokio::test]
async fn what_may_have_arrived_is_sent_ten_times_at_most() {
    let scene = Scene::new(notices(1), ScriptedTransport::new(|_, _| Reply::TakeAndBreak));
    for _ in 0..12 {
        scene.deliver().await;
        scene.clock.advance(Duration::from_hours(8));
    }
    let row = scene.row(1);
    assert_eq!((row.state, scene.transport.taken().len()), (RowState::Parked, 10));
    assert!(row.why.as_deref().unwrap().contains("may have arrived"), "{:?}", row.why);
}

#[tokio::test]
async fn trouble_tells_no_address_and_the_ledger_does() {
    let why = "550 relay denied for <nino@other.example> by jobs@echodesk.example";
    let scene = Scene::new(notices(2), fail(SendError::Refused(why.to_owned())));
    let trouble = scene.deliver().await.trouble.unwrap();
    assert!(trouble.contains("<n***@other.example> by j***@echodesk.example"), "{trouble}");
    assert_eq!(scene.row(1).why.as_deref(), Some(why));
}

#[tokio::test]
async fn a_panic_costs_one_notice_and_nobody_else() {
    let transport = ScriptedTransport::new(|nth, _| if nth == 2 { Reply::Panic } else { Reply::Take });
    let scene = Scene::new(notices(10), transport);
    let report = scene.deliver().await;
    assert_eq!((report.delivered, report.again, report.trouble), (9, 1, None));
    assert_eq!(scene.row(3).why.as_deref(), Some("sending it ended in an error of ours"));
    scene.assert_no_claims();
}

#[tokio::test]
async fn killed_while_sending_it_is_sent_by_another_once_the_claim_has_ended() {
    let transport = ScriptedTransport::new(|nth, _| if nth == 0 { Reply::Hang } else { Reply::Take });
    let scene = Scene::new(notices(1), transport);
    let run = tokio::spawn(deliver(scene.world(), scene.options.clone()));
    while scene.transport.open() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    assert_eq!(scene.deliver().await, DeliveryReport { waiting: untried(1), ..DeliveryReport::default() });
    scene.clock.advance(Duration::from_mins(25));
    assert_eq!(scene.deliver().await.delivered, 1);
    assert_eq!(scene.states(), BTreeMap::from([("sent", 1)]));
}

#[tokio::test]
async fn what_was_claimed_a_while_ago_is_looked_at_again_before_it_is_sent() {
    let mut scene = Scene::new(notices(3), ScriptedTransport::willing());
    let switched_off = |outbox: &MemoryOutbox, id: i64| {
        outbox.change(echodesk_core::NoticeId(id), |notice| {
            let (address, reason) = ("a@b.example".to_owned(), "wrong password".to_owned());
            let kind = echodesk_core::notice::NoticeKind::MailboxSwitchedOff { address, reason };
            notice.code = kind.code().to_owned();
            notice.kind = Ok(kind);
            notice.situation.mailbox_active = Some(false);
        });
    };
    switched_off(&scene.outbox, 2);
    let (clock, outbox) = (Arc::clone(&scene.clock), Arc::clone(&scene.outbox));
    scene.transport = Arc::new(ScriptedTransport::new(move |nth, _| {
        if nth == 0 {
            // While the server thinks, somebody puts the second one's mailbox right, and another run, which takes
            // the third for abandoned, has it.
            clock.advance(Duration::from_secs(3));
            outbox.change(echodesk_core::NoticeId(2), |notice| notice.situation.mailbox_active = Some(true));
            outbox.take_from_holder(echodesk_core::NoticeId(3));
        }
        Reply::Take
    }));
    let report = scene.deliver().await;
    assert_eq!((report.delivered, report.withdrawn, report.waiting.queued), (1, 1, 1), "{report:?}");
    assert_eq!(scene.states(), BTreeMap::from([("sent", 1), ("withdrawn", 1), ("queued", 1)]));
}

#[tokio::test]
async fn however_often_it_was_tried_a_policy_parks_nobody_while_no_mail_is_taken() {
    let tried = |id| Queued { attempts: 3, ..queued(id) };
    let denied = "554 5.7.1 relay access denied".to_owned();
    let refuse = denied.clone();
    let transport = ScriptedTransport::new(move |_, _| Reply::Fail(SendError::Refused(refuse.clone())));
    let scene = Scene::new((1..=7).map(tried), transport);
    let report = scene.deliver().await;
    assert_eq!((report.parked, report.again), (0, 7), "{report:?}");
    assert!(report.trouble.is_some_and(|why| why.contains("relay")));

    // Once the server takes another's mail, it is about them.
    let transport =
        ScriptedTransport::new(
            move |nth, _| {
                if nth == 3 { Reply::Take } else { Reply::Fail(SendError::Refused(denied.clone())) }
            },
        );
    let report = Scene::new((1..=7).map(tried), transport).deliver().await;
    assert_eq!((report.delivered, report.parked, report.again, report.trouble), (1, 6, 0, None));
}
