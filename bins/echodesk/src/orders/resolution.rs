//! What a person may decide about an order, and what follows.

use echodesk_billing::model::{AttemptState, OrderId};
use echodesk_store::LedgerEntry;
use jiff::Timestamp;

/// How the bank has dealt with an order, as a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Paid,
    Failed,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// The attempt is closed, or what was taken for failed is found to be paid.
    Settle,
    /// It has ended as the person says; what was the trouble with it is done with.
    ClearTrouble,
}

/// Why nothing can be decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unresolvable {
    /// There is none of that name.
    #[error("there is no order {order}: `echodesk orders list --all` lists them")]
    Unknown {
        /// What was asked for.
        order: OrderId,
    },
    /// A run may be about to charge it.
    #[error("a run is working on order {order} and may do so until {until:.0}: try again when it has ended")]
    WorkedOn {
        /// The order.
        order: OrderId,
        /// When its claim ends by itself.
        until: Timestamp,
    },
    /// The bank has made an order of it, and can be asked.
    #[error("order {order} is pending at the bank, and nothing is wrong with it: the next run asks what became of it")]
    Pending {
        /// The order.
        order: OrderId,
    },
    /// It is settled, and nothing is the matter with it.
    #[error("order {order} is settled: {state} since {since}{by}; nothing is left to decide")]
    Settled {
        /// The order.
        order: OrderId,
        /// How.
        state: &'static str,
        /// When, as text.
        since: String,
        /// Who said so, as the end of a sentence.
        by: String,
    },
    /// It is paid, which is never taken back here.
    #[error(
        "order {order} was paid, so it cannot have failed: return the money at the bank if need be, then say --paid \
         with what you did"
    )]
    Captured {
        /// The order.
        order: OrderId,
    },
    /// EchoDesk has written down that the order is paid.
    #[error(
        "EchoDesk has marked order {order} as paid and extended the subscription: say --paid, or put the order right \
         in EchoDesk first"
    )]
    Contradicted {
        /// The order.
        order: OrderId,
    },
}

/// What follows from what a person says of an order that nobody is working on.
pub(super) fn judge(entry: &LedgerEntry, end: End) -> Result<Resolution, Unresolvable> {
    let attempt = &entry.attempt;
    let order = || attempt.order.clone();
    if attempt.state == AttemptState::Accepted && attempt.trouble.is_none() {
        return Err(Unresolvable::Pending { order: order() });
    }
    if attempt.state.is_open() {
        return Ok(Resolution::Settle);
    }
    // Whoever has called it failed may have been wrong.
    let was_paid = end == End::Paid && attempt.state != AttemptState::Paid;
    if attempt.trouble.is_none() && !was_paid {
        let since = entry.closed_at.map_or_else(|| "long ago".to_owned(), |at| format!("{at:.0}"));
        return Err(Unresolvable::Settled { order: order(), state: in_words(attempt.state), since, by: by(entry) });
    }
    match (attempt.state, end) {
        (AttemptState::Paid, End::Failed) => Err(Unresolvable::Captured { order: order() }),
        (AttemptState::Paid, End::Paid) | (_, End::Failed) => Ok(Resolution::ClearTrouble),
        (_, End::Paid) => Ok(Resolution::Settle),
    }
}

pub(super) fn in_words(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Prepared | AttemptState::Unknown => "not known to be charged or not",
        AttemptState::Accepted => "pending at the bank",
        AttemptState::Paid => "paid",
        AttemptState::Failed => "failed",
        AttemptState::NotSent => "never sent to the bank",
    }
}

fn by(entry: &LedgerEntry) -> String {
    match (entry.settled_by.as_deref(), entry.because.as_deref()) {
        (Some("answer"), _) => ", as the bank answered".to_owned(),
        (Some("receipt"), _) => ", by the bank's receipt".to_owned(),
        (Some("callback"), _) => ", by the bank's callback".to_owned(),
        (Some("person"), Some(because)) => format!(", as a person said: {because}"),
        _ => String::new(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use echodesk_billing::model::{Attempt, BankOrderId};
    use echodesk_billing::{Currency, Money};
    use echodesk_core::{AttemptId, SubscriptionId, TenantId};

    use super::*;

    pub(crate) fn entry(state: AttemptState) -> LedgerEntry {
        let attempt = Attempt {
            id: AttemptId(7),
            subscription: SubscriptionId(3),
            tenant: TenantId(1),
            schema: "acme".parse().unwrap(),
            period: "2026-11-25T00:00:00Z".parse().unwrap(),
            number: 1,
            order: OrderId("REC-0123456789AB".to_owned()),
            key: "11111111-2222-4333-8444-abcdef012345".parse().unwrap(),
            parent: BankOrderId("card-1".to_owned()),
            amount: Money::new("50".parse().unwrap(), Currency::Gel).unwrap(),
            state,
            bank_order: None,
            prepared_at: "2026-11-22T10:00:00Z".parse().unwrap(),
            refusal: None,
            last_error: None,
            trouble: None,
        };
        let closed_at = (!state.is_open()).then(|| "2026-11-22T10:05:00Z".parse().unwrap());
        LedgerEntry { attempt, closed_at, settled_by: None, because: None, claimed_until: None }
    }

    #[test]
    fn each_state_has_what_can_be_decided_about_it() {
        use AttemptState::{Accepted, Failed, NotSent, Paid, Prepared, Unknown};
        let open = [Prepared, Unknown, Accepted].map(|state| (state, true, End::Paid, Some(Resolution::Settle)));
        let table = [
            (Accepted, false, End::Paid, None),
            (Accepted, false, End::Failed, None),
            (Paid, true, End::Paid, Some(Resolution::ClearTrouble)),
            (Paid, true, End::Failed, None),
            (Failed, true, End::Paid, Some(Resolution::Settle)),
            (Failed, true, End::Failed, Some(Resolution::ClearTrouble)),
            (NotSent, true, End::Paid, Some(Resolution::Settle)),
            (NotSent, true, End::Failed, Some(Resolution::ClearTrouble)),
            (Paid, false, End::Paid, None),
            (Failed, false, End::Paid, Some(Resolution::Settle)),
            (Failed, false, End::Failed, None),
            (NotSent, false, End::Failed, None),
            (Unknown, false, End::Failed, Some(Resolution::Settle)),
        ];
        for (state, in_trouble, end, expected) in open.into_iter().chain(table) {
            let mut entry = entry(state);
            entry.attempt.trouble = in_trouble.then(|| "odd".to_owned());
            assert_eq!(judge(&entry, end).ok(), expected, "{state:?} {in_trouble} {end:?}");
        }
    }

    #[test]
    fn what_is_settled_says_how_and_when() {
        let mut paid = entry(AttemptState::Paid);
        paid.settled_by = Some("callback".to_owned());
        let says = |entry: &LedgerEntry| judge(entry, End::Paid).unwrap_err().to_string();
        assert_eq!(
            says(&paid),
            "order REC-0123456789AB is settled: paid since 2026-11-22T10:05:00Z, by the bank's callback; nothing is \
             left to decide"
        );
        let (settled_by, because) = (Some("person".to_owned()), Some("line 17".to_owned()));
        let failed = LedgerEntry { settled_by, because, ..entry(AttemptState::Failed) };
        let again = judge(&failed, End::Failed).unwrap_err().to_string();
        assert!(again.contains("failed since 2026-11-22T10:05:00Z, as a person said: line 17"));
    }

    #[test]
    fn money_that_was_taken_is_not_taken_back_here() {
        let mut paid = entry(AttemptState::Paid);
        paid.attempt.trouble = Some("a second charge".to_owned());
        assert_eq!(judge(&paid, End::Failed), Err(Unresolvable::Captured { order: paid.attempt.order.clone() }));
    }
}
