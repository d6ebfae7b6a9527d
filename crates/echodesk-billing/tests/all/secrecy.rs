//! Nothing secret is logged or shown, also if the bank repeats it.

use std::io;
use std::sync::{Arc, Mutex};

use echodesk_billing::ports::Bank as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::client::{SECRET, bank, charge, json, order};
use crate::stub::{Step, Stub};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_or_shown() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // Of the whole process: what the other tests log meanwhile must hold nothing secret either.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let echo = r#"{"message":"shop-1:hunter2 with Bearer token-1, Basic c2hvcC0xOmh1bnRlcjI= and 4000120000000001"}"#;
    let mut shown = String::new();
    for status in [200, 400, 403, 404, 500] {
        let stub = Stub::start();
        stub.then((0..6).map(|_| json(status, echo)));
        let bank = bank(&stub);
        shown += &format!("{bank:?} {bank:#?} {:?}\n", bank.charge(&charge()).await);
        shown += &format!("{:?}\n", bank.receipt(&order("bank-1")).await);
    }
    let stub = Stub::start();
    let bank = bank(&stub);
    stub.then([Step::HangUp, json(401, echo), json(401, echo)]);
    shown += &format!("{:?}\n", bank.charge(&charge()).await);
    stub.then_token((0..3).map(|_| json(400, echo))).then([json(401, echo)]);
    shown += &format!("{:?} {:?}\n", bank.charge(&charge()).await, bank.ready().await);

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("endpoint=\"subscribe\"") && log.contains("endpoint=\"token\""), "{log}");
    for text in [&shown, &log] {
        for secret in [SECRET, "c2hvcC0xOmh1bnRlcjI=", "token-1", "token-2", "4000120000000001"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}
