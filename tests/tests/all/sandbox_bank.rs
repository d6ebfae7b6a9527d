//! The sandbox bank itself: what tests of our own client rely on.

mod callbacks;
mod client;
mod faults;

use std::time::Duration;

use client::{Desk, KEY, PARENT, id};
use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::sandbox::bank::{Behaviour, Card, Endpoint, ExpiresIn, InProgress, Outcome, SandboxBank};
use rust_decimal::Decimal;
use serde_json::Value;

fn desk() -> Desk {
    Desk::new(Behaviour::default(), Card::pays())
}

#[test]
fn tokens_are_given_for_credentials_only() {
    let desk = desk();
    let ask = |user: Option<&str>, secret: &str, form: &str| {
        let mut request = desk.http.post(desk.bank.token_url()).body(form.to_owned());
        if let Some(user) = user {
            request = request.basic_auth(user, Some(secret));
        }
        let response = request.send().unwrap();
        let status = response.status().as_u16();
        let body: Value = serde_json::from_str(&response.text().unwrap()).unwrap();
        (status, body["error"].as_str().unwrap_or("none").to_owned())
    };
    let (user, secret, good) = (desk.bank.client_id(), desk.bank.client_secret(), "grant_type=client_credentials");
    for (answer, expected) in [
        (ask(Some(user), secret, good), (200, "none")),
        (ask(None, secret, good), (401, "invalid_client")),
        (ask(Some(user), "wrong", good), (401, "unauthorized_client")),
        (ask(Some("wrong"), secret, good), (401, "unauthorized_client")),
        (ask(Some(user), secret, "grant_type=password"), (400, "unsupported_grant_type")),
        (ask(Some(user), secret, ""), (400, "invalid_request")),
    ] {
        assert_eq!(answer, (expected.0, expected.1.to_owned()));
    }
    assert_eq!(desk.bank.tokens_issued(), 2, "the desk has one");
}

#[test]
fn tokens_expire_and_are_revoked() {
    let mut desk = desk();
    desk.bank.change(|behaviour| behaviour.token_lifetime = Duration::from_millis(300));
    desk.token = desk.fetch_token()["access_token"].as_str().unwrap().to_owned();
    desk.charged("a", None);
    std::thread::sleep(Duration::from_millis(350));
    assert_eq!(desk.charge("b", None).unwrap().0, 401);
    desk.bank.change(|behaviour| behaviour.token_lifetime = Duration::from_secs(60));
    desk.token = desk.fetch_token()["access_token"].as_str().unwrap().to_owned();
    desk.charged("c", None);
    desk.bank.revoke_tokens();
    assert_eq!(desk.charge("d", None).unwrap().0, 401);
    assert_eq!(desk.bank.captures().len(), 2);
    let authorised: Vec<bool> = desk.bank.requests().iter().map(|request| request.authorised).collect();
    assert_eq!(authorised, [true, true, true, false, true, true, false]);
}

#[test]
fn expires_in_can_be_read_in_two_ways() {
    let desk = desk();
    assert_eq!(desk.fetch_token()["expires_in"].as_u64(), Some(300));
    desk.bank.change(|behaviour| behaviour.expires_in = ExpiresIn::EpochMilliseconds);
    let until = desk.fetch_token()["expires_in"].as_i64().unwrap();
    let left = until - SystemClock::new().now().as_millisecond();
    assert!((200_000..=300_000).contains(&left), "{left}");
}

const ORDER: &str = r#"{"callback_url":"https://x.example/","external_order_id":"first","purchase_units":
    {"total_amount":25.10,"currency":"GEL","basket":[{"product_id":"p","quantity":1,"unit_price":25.10}]}}"#;

#[test]
fn a_card_is_saved_with_a_first_payment_and_charged_until_it_is_deleted() {
    let desk = desk();
    let (status, body) = desk.call("POST", "/ecommerce/orders", Some(KEY), ORDER).unwrap();
    let order = id(&body);
    assert!(status == 200 && body.contains("\"redirect\":{\"href\":\"https://payment.bog.ge/?order_id="), "{body}");
    assert_eq!(desk.standing(&order).0, "created");
    let charge = || desk.call("POST", &format!("/ecommerce/orders/{order}/subscribe"), None, "").unwrap();
    let save = || desk.call("PUT", &format!("/orders/{order}/subscriptions"), None, "").unwrap();
    assert_eq!(save(), (202, String::new()));
    assert_eq!(desk.standing(&id(&charge().1)).1.as_deref(), Some("102"), "not yet paid");
    desk.bank.customer_pays(&order, Card::pays());
    assert_eq!(save().0, 400, "too late");
    let receipt = desk.receipt(&order);
    assert_eq!(receipt["payment_detail"]["saved_card_type"], "subscription");
    assert_eq!(receipt["purchase_units"]["transfer_amount"], "25.1", "without padding");

    let child = id(&charge().1);
    let capture = desk.bank.captures().pop().unwrap();
    assert_eq!((capture.order_id, capture.parent_order_id), (child, Some(order.clone())));
    assert_eq!(capture.external_id.as_deref(), Some("first"), "what is left out is the parent's");
    assert_eq!(capture.amount, Decimal::new(251, 1));

    let delete = || desk.call("DELETE", &format!("/charges/card/{order}"), None, "").unwrap().0;
    assert_eq!((delete(), delete()), (202, 404));
    assert_eq!(desk.standing(&id(&charge().1)), rejected(Some("102"), "Saved card not found"));
    assert_eq!(desk.bank.captures().len(), 2);
}

fn rejected(code: Option<&str>, reason: &str) -> (String, Option<String>, Option<String>) {
    ("rejected".to_owned(), code.map(str::to_owned), Some(reason.to_owned()))
}

#[test]
fn orders_that_lack_something_are_refused() {
    let desk = desk();
    let cut = |from: &str, to: &str| desk.call("POST", "/ecommerce/orders", None, &ORDER.replace(from, to)).unwrap().0;
    assert_eq!(cut("callback_url", "callback"), 400);
    assert_eq!(cut("25.10,\"currency\"", "\"25.10\",\"currency\""), 400);
    assert_eq!(cut("basket", "baskets"), 400);
    assert_eq!(cut("}}", "}"), 400);
    assert_eq!(cut("", ""), 200);
    let unknown = [("GET", "/receipt/x"), ("POST", "/ecommerce/orders/x/subscribe"), ("PUT", "/orders/x/cards")];
    let statuses = unknown.map(|(method, path)| desk.call(method, path, None, "").unwrap().0);
    assert_eq!(statuses, [400, 404, 404], "a receipt that is not there is 400");
    assert_eq!(desk.call("GET", "/nothing", None, "").unwrap().0, 404);
}

/// The wire form of a completed charge, with what differs each time put into braces.
const COMPLETED: &str = concat!(
    r#"{"order_id":"{id}","external_order_id":"sub-1","client":{"id":"00000","brand_ka":"სატესტო მაღაზია","#,
    r#""brand_en":"Test Shop","url":"https://shop.example.com"},"create_date":{t},"zoned_create_date":{t},"#,
    r#""expire_date":{t},"zoned_expire_date":{t},"order_status":{"key":"completed","value":"წარმატებული"},"#,
    r#""buyer":null,"redirect_links":{"success":"https://payment.bog.ge/receipt?order_id={id}","#,
    r#""fail":"https://payment.bog.ge/receipt?order_id={id}"},"payment_detail":{"transfer_method":{"key":"card","#,
    r#""value":"ბარათით გადახდა"},"transaction_id":"000000000002","payer_identifier":"400000***0001","#,
    r#""payment_option":"subscription","card_type":"visa","card_expiry_date":"12/30","request_account_tag":null,"#,
    r#""transfer_account_tag":null,"saved_card_type":null,"parent_order_id":"{parent}","code":"100","#,
    r#""code_description":"Successful payment","pg_trx_id":"000000000000000002","auth_code":"000002"},"#,
    r#""actions":null,"disputes":null,"split":null,"discount":null,"lang":"ka","reject_reason":null,"#,
    r#""industry":"ecommerce","capture":"automatic","purchase_units":{"request_amount":"25.5","#,
    r#""transfer_amount":"25.5","refund_amount":null,"currency_code":"GEL","items":[{"external_item_id":"plan-basic","#,
    r#""unit_price":"25.5","description":null,"quantity":"1","unit_discount_price":"0.0","package_code":null,"#,
    r#""total_price":null,"vat":null,"vat_percent":null,"tin":null,"pinfl":null,"product_discount_id":null}]}}"#,
);

#[test]
fn a_receipt_is_byte_for_byte_in_the_banks_form() {
    let desk = desk();
    let order = desk.charged("sub-1", None);
    let (_, body) = desk.call("GET", &format!("/receipt/{order}"), None, "").unwrap();
    let mut body = body.replace(&order, "{id}").replace(PARENT, "{parent}");
    for name in ["\"create_date\":", "zoned_create_date\":", "\"expire_date\":", "zoned_expire_date\":"] {
        let from = body.find(name).unwrap() + name.len();
        let to = from + body[from..].find(',').unwrap();
        let length = if name.contains("zoned") { 29 } else { 28 };
        assert_eq!(to - from, length, "{}", &body[from..to]);
        body.replace_range(from..to, "{t}");
    }
    assert_eq!(body, COMPLETED);
}

#[test]
fn the_same_key_gets_the_first_answer() {
    let desk = desk();
    let first = desk.charge("a", Some(KEY)).unwrap();
    assert_eq!(desk.charge("a", Some(KEY)).unwrap(), first);
    assert_eq!(desk.charge("other", Some(KEY)).unwrap(), first, "the body is not looked at");
    assert_eq!(desk.bank.captures().len(), 1);
    assert_eq!(desk.bank.captures()[0].key.as_deref(), Some(KEY));
    assert_eq!(desk.bank.requests().iter().filter(|request| request.replayed).count(), 2);
    let (status, created) = desk.call("POST", "/ecommerce/orders", Some(KEY), ORDER).unwrap();
    assert!(status == 200 && created != first.1, "another endpoint");
    desk.charged("a", None);
    desk.charged("a", None);
    assert_eq!(desk.bank.captures().len(), 3, "the external id keeps nobody from charging twice");
    for bad in ["x", "\"9c5b94b1-35ad-49bb-b118-8e8fc24abf80\"", "9c5b94b135ad49bbb1188e8fc24abf80"] {
        assert_eq!(desk.charge("a", Some(bad)).unwrap().0, 400, "{bad}");
    }
    desk.bank.change(|behaviour| behaviour.key_is_for_one_body = true);
    assert_eq!((desk.charge("b", Some(KEY)).unwrap().0, desk.charge("a", Some(KEY)).unwrap()), (422, first));
    desk.bank.change(|behaviour| behaviour.key_lifetime = Duration::ZERO);
    desk.charged("a", Some(KEY));
    assert_eq!(desk.bank.captures().len(), 4, "the key was forgotten");
}

#[test]
fn a_repeat_waits_for_the_first_or_is_told_so() {
    for (in_progress, second) in [(InProgress::Waits, 200), (InProgress::Conflict, 409)] {
        let latency = Duration::from_millis(400);
        let desk = Desk::new(Behaviour { latency, in_progress, ..Behaviour::default() }, Card::pays());
        std::thread::scope(|scope| {
            let first = scope.spawn(|| desk.charge("a", Some(KEY)).unwrap());
            std::thread::sleep(latency / 8);
            let repeat = desk.charge("a", Some(KEY)).unwrap();
            assert_eq!(repeat.0, second);
            assert_eq!(first.join().unwrap().1 == repeat.1, second == 200);
        });
        assert_eq!(desk.bank.captures().len(), 1);
    }
}

#[test]
fn charges_go_as_the_card_says() {
    let expired = Outcome::rejected_without_code("expiration");
    let silent = Outcome::Rejected { code: None, reason: None };
    let card = Card::with(&[Outcome::rejected("107"), expired, silent, Outcome::PaysOther("99.9".to_owned())]);
    let desk = Desk::new(Behaviour::default(), card);
    let standing = |name: &str| desk.standing(&desk.charged(name, None));
    assert_eq!(standing("1"), rejected(Some("107"), "Insufficient funds"));
    assert_eq!(standing("2"), rejected(None, "expiration"));
    assert_eq!(standing("3"), ("rejected".to_owned(), None, None));
    assert!(desk.bank.captures().is_empty());
    assert_eq!(standing("4"), ("completed".to_owned(), Some("100".to_owned()), None));
    standing("5");
    let amounts: Vec<String> = desk.bank.captures().iter().map(|capture| capture.amount.to_string()).collect();
    assert_eq!(amounts, ["99.9", "99.9"], "the last goes for all that follow");

    assert!(desk.bank.change_card(PARENT, Card::with(&[Outcome::refused(403, "no"), Outcome::Pays])));
    assert_eq!(desk.charge("6", None).unwrap(), (403, "{\"message\":\"no\"}".to_owned()));
    assert_eq!(standing("7").0, "completed");
    desk.bank.change_card(PARENT, Card::gone_at_once());
    assert_eq!(desk.charge("8", None).unwrap().0, 404);
    desk.bank.change_card(PARENT, Card::gone());
    assert_eq!(standing("9").1.as_deref(), Some("102"));
    assert_eq!(desk.bank.captures().len(), 3);
}

#[test]
fn a_charge_settles_after_a_while() {
    let (processing_after, settle_after) = (Duration::from_millis(250), Some(Duration::from_millis(600)));
    let desk = Desk::new(Behaviour { processing_after, settle_after, ..Behaviour::default() }, Card::pays());
    let clock = SystemClock::new();
    let order = desk.charged("a", None);
    let mut seen = vec![];
    while seen.last().is_none_or(|(_, status)| status != "completed") {
        let captured = desk.bank.captures().len();
        let status = desk.standing(&order).0;
        if seen.last().is_none_or(|(_, last)| *last != status) {
            seen.push((captured, status));
        }
        std::thread::sleep(Duration::from_millis(10));
        assert!(clock.elapsed() < Duration::from_secs(20), "{seen:?}");
    }
    let states: Vec<&str> = seen.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(states, ["created", "processing", "completed"]);
    assert!(seen[..2].iter().all(|(captured, _)| *captured == 0), "{seen:?}");
}

#[test]
fn a_charge_can_be_settled_by_hand() {
    let card = Card::with(&[Outcome::Pays, Outcome::Stuck]);
    let desk = Desk::new(Behaviour { settle_after: None, ..Behaviour::default() }, card);
    let (one, two) = (desk.charged("a", None), desk.charged("b", None));
    assert_eq!(desk.standing(&one).0, "processing");
    assert_eq!(desk.bank.open_orders(), [one.clone(), two.clone()]);
    desk.bank.settle_all();
    assert_eq!((desk.standing(&one).0.as_str(), desk.standing(&two).0.as_str()), ("completed", "processing"));
    desk.bank.settle_as(&two, Outcome::rejected("110"));
    desk.bank.settle_as(&two, Outcome::Pays);
    assert_eq!(desk.standing(&two).1.as_deref(), Some("110"), "what is settled stays");
    assert_eq!(desk.bank.order_of("a"), Some(desk.bank.captures()[0].order_id.clone()));
    assert_eq!(desk.bank.captures().len(), 1);
}

#[test]
fn requests_are_kept_as_they_came() {
    let desk = desk();
    desk.charged("a", Some(KEY));
    let request = desk.bank.requests().pop().unwrap();
    assert_eq!(request.endpoint, Some(Endpoint::Subscribe));
    assert_eq!(request.path, format!("/payments/v1/ecommerce/orders/{PARENT}/subscribe"));
    assert_eq!((request.key.as_deref(), request.external_id.as_deref()), (Some(KEY), Some("a")));
    assert_eq!((request.method.as_str(), request.status, request.authorised), ("POST", Some(200), true));
    assert!(!format!("{:?}", desk.bank.requests()).contains(&desk.token), "tokens are not kept");
    assert_eq!(desk.bank.count(Endpoint::Subscribe), 1);
}

#[test]
fn calls_take_as_long_as_they_should_side_by_side() {
    let latency = Duration::from_millis(50);
    let desk = Desk::new(Behaviour { latency, ..Behaviour::default() }, Card::pays());
    let clock = SystemClock::new();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..4).for_each(|_| drop(desk.charged("a", None))));
        }
    });
    let took = clock.elapsed();
    assert!(took >= latency * 4, "{took:?}");
    assert!(took < latency * 32, "64 calls one after another would take 3.2 s: {took:?}");
    assert_eq!(desk.bank.captures().len(), 64);
}

#[tokio::test]
async fn a_bank_may_live_inside_another_run_time() {
    let bank = SandboxBank::start(Behaviour::default());
    let url = bank.api_url();
    assert!(reqwest::get(&url).await.is_ok());
    drop(bank);
    let deadline = SystemClock::new();
    while reqwest::get(&url).await.is_ok() {
        assert!(deadline.elapsed() < Duration::from_secs(10), "it goes on after it was dropped");
    }
}
