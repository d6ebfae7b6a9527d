//! What goes wrong on demand, and what the ledger says then.

use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::sandbox::bank::{Alteration, Behaviour, Card, Endpoint, Fault, Wrong};

use super::client::{Desk, KEY, Seen};

fn desk() -> Desk {
    Desk::new(Behaviour::default(), Card::pays())
}

/// What a client sees of one charge with this fault, how many were captured by then, and after a repeat.
fn charge(fault: &Fault) -> (Seen, usize, usize) {
    let desk = desk();
    desk.bank.fail_next(Endpoint::Subscribe, 1, fault);
    let seen = desk.charge("a", Some(KEY));
    let captured = desk.bank.captures().len();
    let again = desk.charge("a", Some(KEY));
    assert_eq!(again.map(|(status, _)| status), Some(200), "{fault:?}: the next one is well");
    (seen, captured, desk.bank.captures().len())
}

#[test]
fn every_answer_that_is_none_comes_before_or_after_capturing() {
    let refusals =
        [400, 401, 403, 404, 409, 422, 429, 500, 502, 503].map(|status| (Wrong::Status(status), Some(status)));
    let others = [
        (Wrong::RetryAfter(429, 7), Some(429)),
        (Wrong::Html(200), Some(200)),
        (Wrong::Html(403), Some(403)),
        (Wrong::Html(502), Some(502)),
        (Wrong::Empty(200), Some(200)),
        (Wrong::Body(200, "[1".to_owned()), Some(200)),
        (Wrong::Huge(3_000_000), Some(200)),
        (Wrong::Hang, None),
        (Wrong::Close, None),
    ];
    for (wrong, status) in refusals.into_iter().chain(others) {
        for (fault, captured) in [(Fault::Before(wrong.clone()), 0), (Fault::After(wrong.clone()), 1)] {
            let (seen, before, after) = charge(&fault);
            assert_eq!(seen.as_ref().map(|(status, _)| *status), status, "{fault:?}");
            assert_eq!((before, after), (captured, 1), "{fault:?}: the key keeps the repeat from charging twice");
            let body = seen.map(|(_, body)| body).unwrap_or_default();
            assert!(!body.contains("\"id\""), "{fault:?}: {body}");
        }
    }
}

#[test]
fn retry_after_is_a_header() {
    let desk = desk();
    desk.bank.fail_next(Endpoint::Receipt, 1, &Fault::Before(Wrong::RetryAfter(429, 7)));
    let url = format!("{}/receipt/x", desk.bank.api_url());
    let response = desk.http.get(url).send().unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (429, "7"));
}

#[test]
fn true_answers_arrive_in_a_bad_state() {
    let whole = desk().charge("a", None).unwrap().1.len();
    let pause = Duration::from_millis(30);
    for alteration in [
        Alteration::Late(pause * 5),
        Alteration::Dribbled(pause),
        Alteration::CutShort,
        Alteration::Truncated,
        Alteration::WithoutId,
        Alteration::Gzip,
        Alteration::WithStatus(201),
    ] {
        let clock = SystemClock::new();
        let (seen, before, after) = charge(&Fault::Altered(alteration));
        assert_eq!((before, after), (1, 1), "{alteration:?}");
        let (status, body) = seen.clone().unwrap_or_default();
        match alteration {
            Alteration::Late(_) | Alteration::Dribbled(_) => {
                assert_eq!(body.len(), whole);
                assert!(clock.elapsed() >= pause * 5, "{alteration:?}: {:?}", clock.elapsed());
            }
            Alteration::CutShort => assert_eq!(seen, None, "the connection is closed inside the body"),
            Alteration::Truncated => assert_eq!((status, body.len()), (200, whole / 2)),
            Alteration::WithoutId => assert!(body.starts_with("{\"_links\""), "{body}"),
            Alteration::Gzip => assert!(serde_json::from_str::<serde_json::Value>(&body).is_err(), "{body}"),
            Alteration::WithStatus(_) => assert_eq!((status, body.len()), (201, whole)),
        }
    }
}

#[test]
fn a_gzipped_answer_is_the_answer() {
    let desk = desk();
    desk.bank.fail_next(Endpoint::Subscribe, 1, &Fault::Altered(Alteration::Gzip));
    let url = format!("{}/ecommerce/orders/{}/subscribe", desk.bank.api_url(), super::client::PARENT);
    let response = desk.http.post(url).bearer_auth(&desk.token).send().unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let bytes = response.bytes().unwrap();
    let text = std::io::read_to_string(flate2::read::GzDecoder::new(&bytes[..])).unwrap();
    assert_eq!(super::client::id(&text), desk.bank.captures()[0].order_id);
}

#[test]
fn a_client_that_hangs_up_does_not_stop_the_bank() {
    let desk = Desk::new(Behaviour::default(), Card::pays());
    desk.bank.change(|behaviour| behaviour.latency = Duration::from_millis(1600));
    assert_eq!(desk.charge("a", Some(KEY)), None, "the client has less patience than that");
    assert_eq!(desk.bank.captures().len(), 0, "the bank acts in the middle");
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(desk.bank.captures().len(), 1);
    desk.bank.change(|behaviour| behaviour.latency = Duration::ZERO);
    assert_eq!(desk.charged("a", Some(KEY)), desk.bank.captures()[0].order_id);
}

#[test]
fn a_faulty_answer_can_be_what_the_bank_remembers() {
    for (fault, captured) in [(Fault::After(Wrong::Status(500)), 1), (Fault::Before(Wrong::Status(503)), 0)] {
        let desk = Desk::new(Behaviour { remembers_faults: true, ..Behaviour::default() }, Card::pays());
        desk.bank.fail_next(Endpoint::Subscribe, 1, &fault);
        let first = desk.charge("a", Some(KEY));
        assert_eq!(desk.charge("a", Some(KEY)), first);
        assert_eq!(desk.bank.captures().len(), captured);
        assert!(desk.bank.requests().last().unwrap().replayed);
        desk.bank.forget_keys();
        assert_ne!(desk.charge("a", Some(KEY)), first);
    }
}

#[test]
fn rules_decide_by_endpoint_number_and_external_id() {
    let desk = desk();
    desk.bank.fail_when(|call| {
        let third = call.endpoint == Endpoint::Subscribe && call.number == 3;
        let chosen = third || call.external_id.as_deref() == Some("bad");
        chosen.then_some(Fault::Before(Wrong::Status(500)))
    });
    let status = |external_id| desk.charge(external_id, None).unwrap().0;
    assert_eq!(["a", "bad", "b", "c", "bad"].map(status), [200, 500, 500, 200, 500]);
    desk.bank.fail_next(Endpoint::Receipt, 1, &Fault::Before(Wrong::Status(502)));
    assert_eq!(status("d"), 200, "a fault is for its endpoint only");
    desk.bank.work_well();
    assert_eq!(status("bad"), 200);
}

#[test]
fn the_bank_goes_away_and_comes_back() {
    let desk = desk();
    desk.charged("a", None);
    desk.bank.set_away(true);
    for _ in 0..3 {
        assert_eq!(desk.charge("b", None), None);
    }
    assert_eq!(desk.bank.count(Endpoint::Subscribe), 1, "what comes while it is away is not read");
    desk.bank.set_away(false);
    desk.charged("c", None);
    assert_eq!(desk.bank.captures().len(), 2);
}
