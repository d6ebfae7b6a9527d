//! What follows from a callback.

use crate::model::{Attempt, AttemptState, Receipt, ReceiptStatus, Refusal};
use crate::rules::settle::{Verdict, judge};

/// What is done about an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// It is closed: paid, or failed with this refusal.
    Settle(Option<Refusal>),
    /// The bank's name of the order is written down.
    Record,
    /// A person must look at it.
    Trouble(String),
    /// Nothing, and why.
    Nothing(String),
}

/// Decides about the attempt that a callback names. Its signature says that the bank has sent it, and not
/// to whom: anybody with a shop at the bank can have orders of his own signed under names of ours. What
/// only we can have made is an order on the card that we charge.
pub(super) fn decide(attempt: &Attempt, receipt: &Receipt) -> Action {
    match &attempt.bank_order {
        Some(ours) if *ours != receipt.order => return other_order(attempt, receipt),
        None if receipt.parent.as_ref().is_some_and(|parent| *parent != attempt.parent) => return foreign(receipt),
        _ => {}
    }
    let is_open = attempt.state.is_open();
    match judge(attempt, receipt) {
        Verdict::Paid if attempt.state == AttemptState::Paid => nothing("it is known to be paid"),
        // Also what counted as failed, which the store then says.
        Verdict::Paid => Action::Settle(None),
        Verdict::Failed(refusal) if is_open => Action::Settle(Some(refusal)),
        Verdict::Failed(_) => nothing("it is closed"),
        Verdict::Open(_) if is_open && attempt.bank_order.is_none() => Action::Record,
        Verdict::Open(status) => nothing(&format!("its status is {status:?}, which is not final")),
        Verdict::Trouble(why) if is_open || is_money_unaccounted_for(attempt, receipt) => Action::Trouble(why),
        // Such as the money of a paid order being returned later, which somebody has done on purpose.
        Verdict::Trouble(why) => nothing(&format!("it is closed, and {why}")),
        Verdict::Unproven(why) => nothing(&why),
    }
}

/// An order other than the attempt's own, under the attempt's name.
fn other_order(attempt: &Attempt, receipt: &Receipt) -> Action {
    let order = &receipt.order;
    match &receipt.parent {
        Some(parent) if *parent != attempt.parent => foreign(receipt),
        // The bank leaves many fields out, so this may be ours too. To have a person look at it for nothing
        // costs less than a second charge that nobody sees.
        _ if has_taken_money(&receipt.status) => {
            Action::Trouble(format!("the bank has also charged order {order} under the name {}", attempt.order))
        }
        Some(_) if attempt.state.is_open() => {
            Action::Trouble(format!("the bank has also made order {order} under the name {}", attempt.order))
        }
        _ => nothing(&format!("it is about another order of the bank, {order}, which took nothing")),
    }
}

fn foreign(receipt: &Receipt) -> Action {
    nothing(&format!("the bank's order {} is not on our card, and so not ours", receipt.order))
}

/// Whether money was taken, or is held, for what counts as not paid. What was wholly returned is settled.
fn is_money_unaccounted_for(attempt: &Attempt, receipt: &Receipt) -> bool {
    attempt.state != AttemptState::Paid && (has_taken_money(&receipt.status) || receipt.status == ReceiptStatus::Held)
}

fn has_taken_money(status: &ReceiptStatus) -> bool {
    match status {
        ReceiptStatus::Completed
        | ReceiptStatus::RefundRequested
        | ReceiptStatus::RefundedPartially
        | ReceiptStatus::PartialCompleted => true,
        ReceiptStatus::Created
        | ReceiptStatus::Processing
        | ReceiptStatus::Rejected
        | ReceiptStatus::Refunded
        | ReceiptStatus::Held
        | ReceiptStatus::Other(_) => false,
    }
}

fn nothing(why: &str) -> Action {
    Action::Nothing(why.to_owned())
}

#[cfg(test)]
mod tests;
