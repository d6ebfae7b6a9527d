//! Callbacks that the bank has signed and that do not fit: a person must look at them, or nothing follows.

use echodesk_tests::sandbox::bank::Receipt;

use super::Waiting;
use crate::renewal::{Books, Server};
use crate::support::{Backend, on_both};

on_both!(what_does_not_fit_is_for_a_person_to_look_at, an_order_of_a_strangers_card_is_nobodys_of_ours,);

const OTHER_CARD: &str = "44444444-4444-4444-8444-444444444444";
const OTHER_ORDER: &str = "55555555-5555-4555-8555-555555555555";

type Change = fn(&mut Receipt);

fn what_does_not_fit_is_for_a_person_to_look_at(backend: Backend) {
    let Some(waiting) = Waiting::accepted(backend) else { return };
    let less: Change = |receipt| receipt.purchase_units.transfer_amount = Some("1".to_owned());
    let more: Change = |receipt| receipt.purchase_units.transfer_amount = Some("255".to_owned());
    let dollars: Change = |receipt| receipt.purchase_units.currency_code = "USD".to_owned();
    let card: Change = |receipt| receipt.payment_detail.parent_order_id = Some(OTHER_CARD.to_owned());
    let second: Change = |receipt| receipt.order_id = OTHER_ORDER.to_owned();
    let name: Change = |receipt| receipt.external_order_id = Some("REC-000000000000".to_owned());
    let refunded: Change = |receipt| receipt.order_status.key = "refunded".to_owned();
    let held: Change = |receipt| receipt.order_status.key = "blocked".to_owned();
    for (change, says) in [
        (less, "1 GEL were paid"),
        (more, "255 GEL were paid"),
        (dollars, "paid in USD"),
        (card, OTHER_CARD),
        (second, OTHER_ORDER),
        (name, "REC-000000000000"),
        (refunded, "returned the money"),
        (held, "only holds the money"),
    ] {
        let renewal = waiting.renewal.copy();
        let server = Server::start(&mut renewal.server(&waiting.bank)).unwrap();
        assert_eq!(waiting.tell(&server, change), Some(200), "{says}");
        let mut books = renewal.books();
        let attempt = std::mem::replace(&mut books.attempts, vec!["accepted".to_owned()]).remove(0);
        assert!(attempt.starts_with("accepted, trouble: ") && attempt.contains(says), "{says}: {attempt}");
        assert_eq!(books, Books::open("accepted"), "{says}: nothing is paid for");
        server.stop();
        // A person is told by every run.
        let listed = renewal.world.installation.echodesk(&["orders", "list"], "").well();
        assert!(listed.stdout.contains(says), "{says}: {listed:#?}");
        renewal.world.discard();
    }
}

fn an_order_of_a_strangers_card_is_nobodys_of_ours(backend: Backend) {
    for waiting in [Waiting::accepted, Waiting::unknown] {
        let Some(waiting) = waiting(backend) else { return };
        let state = waiting.renewal.books();
        let server = waiting.start();
        let stranger: Change = |receipt| {
            receipt.order_id = OTHER_ORDER.to_owned();
            receipt.payment_detail.parent_order_id = Some(OTHER_CARD.to_owned());
        };
        assert_eq!(waiting.tell(&server, stranger), Some(200));
        assert_eq!(waiting.renewal.books(), state, "a name of ours can be given to any order");
        let first: Change = |receipt| {
            receipt.order_id = OTHER_ORDER.to_owned();
            receipt.payment_detail.parent_order_id = None;
            super::rejected(receipt, None);
        };
        assert_eq!(waiting.tell(&server, first), Some(200));
        assert_eq!(waiting.renewal.books(), state);
        assert_eq!(waiting.tell(&server, |_| ()), Some(200));
        assert_eq!(waiting.renewal.books(), Books::paid(), "ours is taken all the same");
        server.stop();
    }
}
