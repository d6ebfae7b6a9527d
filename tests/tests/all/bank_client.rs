//! The bank's client against the sandbox bank: what it concludes from everything that can go wrong, and
//! what the bank's ledger says of the same call.

mod charges;
mod keys;
mod receipts;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use echodesk_billing::bank::{BankLimits, BankSettings, BogBank};
use echodesk_billing::model::{BankOrderId, OrderId, Refusal};
use echodesk_billing::ports::{ChargeAnswer, ChargeRequest, SystemRandom};
use echodesk_core::{Clock, Secret, SystemClock};
use echodesk_tests::sandbox::bank::{Behaviour, Card, SandboxBank};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::renewal::{self, PARENT};

/// What may be concluded from the answer to a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conclusion {
    Accepted,
    /// With this HTTP status.
    Refused(u16),
    Unknown,
    NotSent,
}

use Conclusion::{Accepted, NotSent, Refused, Unknown};

fn conclusion(answer: &ChargeAnswer) -> Conclusion {
    match answer {
        ChargeAnswer::Accepted(_) => Accepted,
        ChargeAnswer::Refused(Refusal::Http { status, .. }) => Refused(*status),
        ChargeAnswer::Refused(other) => panic!("a call cannot be answered with {other:?}"),
        ChargeAnswer::Unknown(_) => Unknown,
        ChargeAnswer::NotSent(_) => NotSent,
    }
}

/// The patience of the client under test.
const TIME_OUT: Duration = Duration::from_millis(400);

/// A client that tries a call so often.
fn limits(tries: u32) -> BankLimits {
    BankLimits {
        request_timeout: TIME_OUT,
        tries,
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        ..BankLimits::default()
    }
}

fn client_by(bank: &SandboxBank, limits: BankLimits, clock: Arc<dyn Clock>) -> BogBank {
    let settings = BankSettings::new(bank.client_id(), Secret::new(bank.client_secret())).unwrap();
    let settings = settings.with_auth_url(&bank.token_url()).unwrap();
    let settings = settings.with_api_base_url(&bank.api_url()).unwrap();
    BogBank::new(settings, limits, clock, Arc::new(SystemRandom)).unwrap()
}

fn client(bank: &SandboxBank, tries: u32) -> Arc<BogBank> {
    Arc::new(client_by(bank, limits(tries), Arc::new(SystemClock::new())))
}

fn bank(behaviour: Behaviour) -> SandboxBank {
    renewal::bank(behaviour, Card::pays())
}

/// A charge with a name and a key of its own.
fn request() -> ChargeRequest {
    let key = Uuid::new_v4();
    ChargeRequest { parent: BankOrderId(PARENT.to_owned()), order: OrderId::renewal(key), key }
}

/// Not the bank's: it has its own threads.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
