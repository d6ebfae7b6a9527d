//! Two runs at once over one outbox, with a mail server that fails as chance has it.

use proptest::prelude::*;

use super::*;
use crate::ports::SendError;
use crate::testing::Reply;

fn reply(chance: u8) -> Reply {
    match chance {
        0..=5 => Reply::Fail(SendError::NotNow("451".to_owned())),
        6..=8 => Reply::Fail(SendError::Broken("hung up before it took the mail".to_owned())),
        9..=11 => Reply::Fail(SendError::Down("421".to_owned())),
        12..=13 => Reply::Fail(SendError::Refused("550 5.1.1 unknown".to_owned())),
        14..=15 => Reply::Fail(SendError::Refused("550 rejected".to_owned())),
        16 => Reply::Panic,
        17..=18 => Reply::After(Duration::from_micros(200)),
        _ => Reply::Take,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_sent_twice_unless_a_run_was_killed(
        count in 1_i64..700,
        chances in proptest::collection::vec(0_u8..100, 64),
        rounds in proptest::collection::vec(proptest::bool::weighted(0.25), 3),
    ) {
        let was_killed = rounds.contains(&true);
        let length = chances.len();
        let script = move |nth: usize, _: &crate::Mail| reply(chances[(nth * 7 + nth / length) % length]);
        let scene = Scene::new(notices(count), ScriptedTransport::new(script));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            for is_killed in rounds {
                if is_killed {
                    let run = tokio::spawn(deliver(scene.world(), scene.options.clone()));
                    tokio::time::sleep(Duration::from_micros(300)).await;
                    run.abort();
                    let _ = run.await;
                    // What it had begun may go on for a moment.
                    while scene.transport.open() > 0 {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                } else {
                    let (one, two) = tokio::join!(
                        deliver(scene.world(), scene.options.clone()),
                        deliver(scene.world(), scene.options.clone()),
                    );
                    assert!(one.is_ok() && two.is_ok());
                    if !was_killed {
                        scene.assert_no_claims();
                    }
                }
                scene.clock.advance(Duration::from_hours(9));
            }
        });
        drop(runtime);
        let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mail in scene.transport.taken() {
            sent.entry(mail.to).or_default().push(mail.message_id);
        }
        for row in scene.outbox.rows() {
            let ids = sent.get(&row.notice.tenant.admin_email).map_or(&[][..], Vec::as_slice);
            prop_assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "a repeat has the same Message-ID");
            match row.state {
                RowState::Sent => prop_assert!(ids.len() == 1 || (was_killed && ids.len() > 1), "{} times", ids.len()),
                RowState::Queued => prop_assert!(ids.is_empty() || was_killed, "sent and still queued"),
                RowState::Parked => prop_assert!(row.why.is_some() && (ids.is_empty() || was_killed)),
                RowState::Withdrawn => prop_assert!(false, "nothing was overtaken"),
            }
        }
    }
}
