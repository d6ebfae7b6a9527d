//! The client under test, and requests for it.

use std::sync::Arc;
use std::time::Duration;

use echodesk_billing::bank::{BankLimits, BankSettings, BogBank};
use echodesk_billing::model::{BankOrderId, OrderId};
use echodesk_billing::ports::{ChargeRequest, SystemRandom};
use echodesk_core::{Clock, ManualClock, Secret};

use crate::stub::{Step, Stub};

pub(crate) const SECRET: &str = "hunter2";
pub(crate) const KEY: &str = "7f3c0a52-9d6e-4a1b-8c2d-0e1f2a3b4c5d";
pub(crate) const NOW: &str = "2026-11-22T10:00:00Z";

/// Short waits, so that tests are quick.
pub(crate) fn limits() -> BankLimits {
    BankLimits {
        request_timeout: Duration::from_millis(500),
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(100),
        ..BankLimits::default()
    }
}

pub(crate) fn settings(stub: &Stub) -> BankSettings {
    let settings = BankSettings::new("shop-1", Secret::new(SECRET)).unwrap();
    let settings = settings.with_auth_url(&format!("{}/token", stub.address)).unwrap();
    settings.with_api_base_url(&format!("{}/payments/v1", stub.address)).unwrap()
}

pub(crate) fn bank_by(settings: BankSettings, limits: BankLimits, clock: Arc<dyn Clock>) -> BogBank {
    BogBank::new(settings, limits, clock, Arc::new(SystemRandom)).unwrap()
}

pub(crate) fn bank(stub: &Stub) -> BogBank {
    bank_by(settings(stub), limits(), manual_clock())
}

pub(crate) fn manual_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOW.parse().unwrap()))
}

pub(crate) fn order(name: &str) -> BankOrderId {
    BankOrderId(name.to_owned())
}

pub(crate) fn charge() -> ChargeRequest {
    ChargeRequest {
        parent: order("parent-1"),
        order: OrderId("REC-0123456789AB".to_owned()),
        key: KEY.parse().unwrap(),
    }
}

pub(crate) fn json(status: u16, body: &str) -> Step {
    Step::Answer(status, body.as_bytes().to_vec())
}
