//! The money side: each known bug is found, and soon.

use echodesk_simulate::bugs::Bug;
use echodesk_simulate::score::score_of;

const BUGS: [Bug; 21] = [
    Bug::ChargeBeforeWriting,
    Bug::NewKeyOnRetry,
    Bug::NewOrderOnRetry,
    Bug::UnknownIsFailed,
    Bug::TimeOutIsNotSent,
    Bug::KeyTrustedForever,
    Bug::ReceiptsNotAsked,
    Bug::ReceiptUnchecked,
    Bug::CallbackUnverified,
    Bug::CallbackOfAnother,
    Bug::SettlementUnguarded,
    Bug::HookIgnored,
    Bug::ExtensionFromNow,
    Bug::ExtensionByCalendar,
    Bug::ClaimWithoutExpiry,
    Bug::PriceIgnored,
    Bug::ChargedTooEarly,
    Bug::ForeignRetryIgnored,
    Bug::RetriesNotCancelled,
    Bug::PrepareUnguarded,
    Bug::ReactivationForgetsTenant,
];

#[test]
fn each_bug_of_billing_is_found_within_few_seeds() {
    let score = score_of(&BUGS, 4, |_| ());
    assert!(score.is_full(), "{score}");
    assert_eq!(score.found(), BUGS.len());
}
