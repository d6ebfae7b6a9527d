//! A store that breaks one promise is found out.

mod broken;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;

use self::broken::{Broken, Fault};
use super::*;
use crate::testing::{Account, MemoryLedger};
use crate::{Currency, Money};

/// What the check says of a store with that fault; none if it finds nothing.
fn complaint(fault: Option<Fault>) -> Option<String> {
    let inner = MemoryLedger::default();
    let price = Money::new("50".parse().unwrap(), Currency::Gel).unwrap();
    for number in 1..=SUBSCRIPTIONS {
        let schema = format!("tenant{number}");
        inner.add(Account::due(number as i64, &schema, price, "2026-11-24T00:00:00Z".parse().unwrap()));
    }
    let store = Broken { inner, fault };
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| check_billing_store(&store, now))).err()?;
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
}

#[test]
fn a_store_that_breaks_a_promise_is_found_out() {
    assert_eq!(complaint(None), None, "the double itself");
    for (fault, part) in [
        (Fault::ClaimsWithoutLock, "of those who come at once, one gets an attempt"),
        (Fault::ForgetsWhereAPageBegins, "claim: they are not in the order"),
        (Fault::WritesAnOrderDownAgain, "the order of another attempt"),
        (Fault::WritesAKeyDownAgain, "the key of another attempt"),
        (Fault::TakesNotSentForFinal, "said not to have been asked for"),
        (Fault::SettlesTheNewestOnly, "also while the next attempt is open"),
        (Fault::ClosesTheNextAttemptToo, "the bank's to say"),
        (Fault::LetsAnyAnswerClose, "the second is on its way"),
    ] {
        let complaint = complaint(Some(fault)).unwrap_or_else(|| panic!("{fault:?} was not noticed"));
        assert!(complaint.contains(part), "{fault:?}: {complaint}");
    }
}
