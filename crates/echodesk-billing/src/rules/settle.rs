//! How a receipt settles an attempt.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Attempt, AttemptState, Receipt, ReceiptStatus, Refusal};
use crate::rules::period::same_period;

/// EchoDesk's web hook takes seconds from marking an order to extending its subscription. After this long
/// it has failed in between.
const BOOKING_TAKES: SignedDuration = SignedDuration::from_mins(10);

/// What a receipt or callback says of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Captured, with the right amount, for the right order.
    Paid,
    /// Ended without money having moved.
    Failed(Refusal),
    /// Not final yet; the bank's word for it.
    Open(String),
    /// It does not fit the attempt, or is something that nobody foresaw: a person must look at it.
    Trouble(String),
    /// It does not prove that it is about this attempt; nothing follows from it.
    Unproven(String),
}

/// Judges a receipt that was fetched for the attempt's own order, or that a verified callback carried.
#[must_use]
pub fn judge(attempt: &Attempt, receipt: &Receipt) -> Verdict {
    if let Some(stranger) = stranger(attempt, receipt) {
        return stranger;
    }
    match &receipt.status {
        // What was given back later was paid first.
        ReceiptStatus::Completed | ReceiptStatus::RefundRequested | ReceiptStatus::RefundedPartially => {
            guard_amount(attempt, receipt).map_or(Verdict::Paid, Verdict::Trouble)
        }
        ReceiptStatus::Rejected => {
            Verdict::Failed(Refusal::Rejected { code: receipt.code.clone(), reason: receipt.reject_reason.clone() })
        }
        ReceiptStatus::Refunded => {
            Verdict::Trouble(format!("the bank has returned the money of order {}", receipt.order))
        }
        ReceiptStatus::Held | ReceiptStatus::PartialCompleted => {
            Verdict::Trouble(format!("the bank only holds the money of order {}", receipt.order))
        }
        ReceiptStatus::Created => Verdict::Open("created".to_owned()),
        ReceiptStatus::Processing => Verdict::Open("processing".to_owned()),
        ReceiptStatus::Other(key) => Verdict::Open(key.clone()),
    }
}

/// What speaks against the receipt being about this attempt.
fn stranger(attempt: &Attempt, receipt: &Receipt) -> Option<Verdict> {
    if let Some(ours) = attempt.bank_order.as_ref().filter(|ours| **ours != receipt.order) {
        return Some(Verdict::Trouble(format!("it is about the bank's order {}, ours is {ours}", receipt.order)));
    }
    if let Some(other) = receipt.external.as_deref().filter(|external| *external != attempt.order.as_str()) {
        return Some(Verdict::Trouble(format!("it is about order {other}, ours is {}", attempt.order)));
    }
    if let Some(other) = receipt.parent.as_ref().filter(|parent| **parent != attempt.parent) {
        return Some(Verdict::Trouble(format!("it charged the card of {other}, ours is that of {}", attempt.parent)));
    }
    // Anybody who has a shop at the bank can have a callback about an order of his signed and sent to
    // us under a name of ours. So until the bank itself has told us its name of the order, the card
    // must be the one that only we can charge.
    if attempt.bank_order.is_none() && (receipt.external.is_none() || receipt.parent.is_none()) {
        return Some(Verdict::Unproven(format!(
            "nothing in it but a name says that the bank's order {} is ours",
            receipt.order
        )));
    }
    None
}

/// Why what was taken is not what was asked for.
fn guard_amount(attempt: &Attempt, receipt: &Receipt) -> Option<String> {
    let expected = attempt.amount;
    match receipt.currency.as_deref() {
        Some(currency) if currency == expected.currency().to_string() => {}
        Some(currency) => return Some(format!("paid in {currency}, not in {}", expected.currency())),
        None => return Some("the bank does not say in what currency was paid".to_owned()),
    }
    // Once something was returned, what was transferred may be what is left.
    let paid = match receipt.status {
        ReceiptStatus::Completed => receipt.transferred.or(receipt.requested),
        _ => receipt.requested.or(receipt.transferred),
    };
    match paid {
        Some(paid) if paid == expected.amount() => None,
        Some(paid) => Some(format!("{paid} {} were paid, not {expected}", expected.currency())),
        None => Some("the bank does not say how much was paid".to_owned()),
    }
}

/// The status of a payment order in EchoDesk's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    /// `pending`.
    Pending,
    /// `paid`, and the subscription's renewal date has moved on: EchoDesk has booked it.
    Paid,
    /// `paid` a moment ago, and the renewal date has not moved: EchoDesk is at it.
    BeingPaid,
    /// `paid`, and the renewal date never moved: EchoDesk marks an order and extends the subscription in
    /// two steps, and the second did not happen.
    PaidInVain,
    /// `failed`, `cancelled`, or a word that is not EchoDesk's.
    Closed,
}

/// What the status of an order means that EchoDesk may have booked.
#[must_use]
pub fn order_status(
    status: &str,
    paid_at: Option<Timestamp>,
    renewal_date: Option<Timestamp>,
    attempt: &Attempt,
    now: Timestamp,
) -> OrderStatus {
    match status {
        "pending" => OrderStatus::Pending,
        "paid" if renewal_date.is_none_or(|date| !same_period(date, attempt.period)) => OrderStatus::Paid,
        "paid" if paid_at.is_none_or(|paid_at| now.duration_since(paid_at) > BOOKING_TAKES) => OrderStatus::PaidInVain,
        "paid" => OrderStatus::BeingPaid,
        _ => OrderStatus::Closed,
    }
}

/// What a final answer changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The attempt is paid.
    Pay {
        /// Whether order and subscription are ours to change: no, if EchoDesk has done so.
        extend: bool,
        /// Whether it had been closed as unpaid, so that another charge may have been made.
        late: bool,
    },
    /// The attempt has failed.
    Fail {
        /// Whether the order and the subscription's counters are ours to change: no, if EchoDesk has
        /// done so.
        count: bool,
    },
    /// Somebody says paid, and the bank says not: a person must look at it.
    Contradiction,
    /// Nothing yet: EchoDesk is at it.
    Wait,
    /// Nothing: it is known already, or outdated.
    Nothing,
}

/// What a final answer changes, given where attempt and order stand. Once paid, always paid: a captured
/// charge is never taken back by what arrives later; and what failed may still turn out to be paid.
#[must_use]
pub fn closing(attempt: AttemptState, order: OrderStatus, paid: bool) -> Closing {
    match (attempt, order, paid) {
        (AttemptState::Paid, _, _) | (AttemptState::Failed | AttemptState::NotSent, _, false) => Closing::Nothing,
        (_, OrderStatus::Paid | OrderStatus::BeingPaid | OrderStatus::PaidInVain, false) => Closing::Contradiction,
        (_, OrderStatus::BeingPaid, true) => Closing::Wait,
        (_, order, true) => Closing::Pay { extend: order != OrderStatus::Paid, late: !attempt.is_open() },
        (_, order, false) => Closing::Fail { count: order == OrderStatus::Pending },
    }
}

#[cfg(test)]
mod tests;
