//! `echodesk callbacks serve` as a process: what it is told, by whom, and what is in the books then.

mod callers;
mod starting;
mod trouble;

use echodesk_tests::sandbox::bank::{Behaviour, Callbacks, Card, Endpoint, Fault, Receipt, SandboxBank, Wrong};

use crate::renewal::{self, Books, Renewal, Server};
use crate::support::{Backend, on_both};

on_both!(
    what_is_not_the_banks_changes_nothing,
    a_callback_is_applied_once_however_often_it_comes,
    twenty_at_once_are_one,
    the_order_in_which_callbacks_come_does_not_matter,
    a_rejection_may_have_no_code,
);

/// A renewal that is waited for, and the bank at which it is paid by now.
struct Waiting {
    renewal: Renewal,
    bank: SandboxBank,
    /// What the bank has to say.
    receipt: Receipt,
}

impl Waiting {
    /// The bank has told its name of the order.
    fn accepted(backend: Backend) -> Option<Self> {
        Some(Self::charged(Renewal::new(backend)?, None))
    }

    /// The bank's answer was lost.
    fn unknown(backend: Backend) -> Option<Self> {
        Some(Self::charged(Renewal::new(backend)?, Some(Fault::After(Wrong::Html(200)))))
    }

    fn charged(renewal: Renewal, fault: Option<Fault>) -> Self {
        let behaviour = Behaviour { settle_after: None, callbacks: Callbacks::lost(), ..Behaviour::default() };
        let bank = renewal::bank(behaviour, Card::pays());
        let state = if fault.is_some() { "unknown" } else { "accepted" };
        bank.fail_when(move |call| fault.clone().filter(|_| call.endpoint == Endpoint::Subscribe));
        let _ = renewal.pay(&bank, &["--settle-for", "1s"]);
        assert_eq!(renewal.books().orders, ["pending"]);
        assert_eq!(renewal.books().attempts, [state]);
        bank.settle_all();
        let receipt = bank.receipt(&bank.captures()[0].order_id).unwrap();
        Self { renewal, bank, receipt }
    }

    fn start(&self) -> Server {
        Server::start(&mut self.renewal.server(&self.bank)).unwrap()
    }

    /// A well signed callback over the receipt, changed.
    fn callback(&self, change: impl FnOnce(&mut Receipt)) -> (Vec<u8>, String) {
        let mut receipt = self.receipt.clone();
        change(&mut receipt);
        self.bank.callback_with(&receipt)
    }

    /// The same, told to a server.
    fn tell(&self, server: &Server, change: impl FnOnce(&mut Receipt)) -> Option<u16> {
        let (body, signature) = self.callback(change);
        server.post(&body, Some(&signature))
    }
}

/// Makes a receipt that of a charge that was rejected.
fn rejected(receipt: &mut Receipt, code: Option<&str>) {
    receipt.order_status.key = "rejected".to_owned();
    receipt.payment_detail.code = code.map(str::to_owned);
    receipt.reject_reason = Some("unknown".to_owned());
    receipt.purchase_units.transfer_amount = None;
}

fn what_is_not_the_banks_changes_nothing(backend: Backend) {
    let Some(waiting) = Waiting::accepted(backend) else { return };
    let server = waiting.start();
    let (body, signature) = waiting.callback(|_| ());
    let other = waiting.bank.forge(&body);
    let tampered = String::from_utf8(body.clone()).unwrap().replace("\"25.5\"", "\"25.50\"").into_bytes();
    assert_ne!(tampered, body);
    let spaced = [&body[..], b" "].concat();
    let signed = |text: &str| (text.as_bytes().to_vec(), Some(waiting.bank.sign(text.as_bytes())));
    let missing = waiting.callback(|receipt| {
        receipt.order_id = "33333333-3333-4333-8333-333333333333".to_owned();
        receipt.external_order_id = Some("REC-000000000000".to_owned());
    });
    let huge = vec![b'x'; 10 << 20];
    let open = Books::open("accepted");
    for (what, (body, signature), status) in [
        ("tampered with", (tampered, Some(signature.clone())), 401),
        ("one byte longer", (spaced, Some(signature.clone())), 401),
        ("not signed", (body.clone(), None), 401),
        ("signed with nothing", (body.clone(), Some(String::new())), 401),
        ("signed with no signature", (body.clone(), Some("bm90IGEgc2lnbmF0dXJl".to_owned())), 401),
        ("signed with another key", (body.clone(), Some(other)), 401),
        ("empty", signed(""), 400),
        ("not JSON", signed("order_payment"), 400),
        ("other JSON", signed("[]"), 400),
        ("without a receipt", signed(r#"{"event":"order_payment"}"#), 400),
        ("about nobody's order", (missing.0, Some(missing.1)), 404),
        ("10 MB", (huge.clone(), Some(waiting.bank.sign(&huge))), 413),
    ] {
        assert_eq!(server.post(&body, signature.as_deref()), Some(status), "{what}");
        assert_eq!(waiting.renewal.books(), open, "{what}");
    }
    for (path, status) in [("GET /api/payments/webhook/", 405), ("POST /", 404), ("GET /admin", 404)] {
        let request = format!("{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(server.ask(request.as_bytes()), Some(status), "{path}");
    }
    assert_eq!(waiting.renewal.books(), open);
    assert_eq!(server.post(&body, Some(&signature)), Some(200), "the true one is taken after all that");
    assert_eq!(waiting.renewal.books(), Books::paid());
    let log = server.stop();
    assert!(!log.contains(&signature), "{log}");
}

fn a_callback_is_applied_once_however_often_it_comes(backend: Backend) {
    for waiting in [Waiting::accepted, Waiting::unknown] {
        let Some(waiting) = waiting(backend) else { return };
        let server = waiting.start();
        let (body, signature) = waiting.callback(|_| ());
        for _ in 0..10 {
            assert_eq!(server.post(&body, Some(&signature)), Some(200));
            assert_eq!(waiting.renewal.books(), Books::paid());
        }
        server.stop();
        waiting.bank.work_well();
        let ended = waiting.renewal.pay(&waiting.bank, &[]);
        assert_eq!((ended.code, waiting.renewal.books()), (Some(0), Books::paid()), "{ended:#?}");
        assert_eq!(waiting.bank.captures().len(), 1);
    }
}

fn twenty_at_once_are_one(backend: Backend) {
    let Some(waiting) = Waiting::unknown(backend) else { return };
    let server = waiting.start();
    let (body, signature) = waiting.callback(|_| ());
    std::thread::scope(|scope| {
        let posts: Vec<_> = (0..20).map(|_| scope.spawn(|| server.post(&body, Some(&signature)))).collect();
        for post in posts {
            assert_eq!(post.join().unwrap(), Some(200));
        }
    });
    assert_eq!(waiting.renewal.books(), Books::paid());
    server.stop();
}

fn the_order_in_which_callbacks_come_does_not_matter(backend: Backend) {
    let Some(waiting) = Waiting::accepted(backend) else { return };
    let server = waiting.start();
    let early = |key: &'static str| {
        move |receipt: &mut Receipt| {
            receipt.order_status.key = key.to_owned();
            receipt.purchase_units.transfer_amount = None;
        }
    };
    for key in ["processing", "created", "a word of next year"] {
        assert_eq!(waiting.tell(&server, early(key)), Some(200));
        assert_eq!(waiting.renewal.books(), Books::open("accepted"), "{key} is not final");
    }
    assert_eq!(waiting.tell(&server, |receipt| rejected(receipt, Some("107"))), Some(200));
    assert_eq!(waiting.renewal.books(), Books::failed("retrying"));
    assert_eq!(waiting.tell(&server, |_| ()), Some(200));
    let events = vec!["payment_failed".to_owned(), "payment_success".to_owned()];
    let late = Books { events, ..Books::paid() };
    assert_eq!(waiting.renewal.books(), late, "money that came after all is booked");
    for key in ["rejected", "processing", "created"] {
        assert_eq!(waiting.tell(&server, early(key)), Some(200));
        assert_eq!(waiting.renewal.books(), late, "{key} takes nothing back");
    }
    server.stop();
}

fn a_rejection_may_have_no_code(backend: Backend) {
    for waiting in [Waiting::accepted, Waiting::unknown] {
        let Some(waiting) = waiting(backend) else { return };
        let server = waiting.start();
        for _ in 0..2 {
            assert_eq!(waiting.tell(&server, |receipt| rejected(receipt, None)), Some(200));
            let books = waiting.renewal.books();
            let standing = books.standing.strip_suffix(" 1").unwrap_or(&books.standing).to_owned();
            assert_eq!(books, Books::failed(&standing), "counted once");
        }
        server.stop();
    }
}
