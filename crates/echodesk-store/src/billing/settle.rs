//! Closing an attempt, with everything that follows, in one transaction.

mod closing;
mod failed;
mod paid;
mod standing;

use echodesk_billing::model::AttemptState;
use echodesk_billing::ports::{Settled, Settlement};
use echodesk_billing::rules::settle::{Closing, closing};
use echodesk_core::AttemptId;

use super::answers;
use crate::connection::Connection;
use crate::error::{Failure, Outcome};

/// How often a settlement looks again at an order that EchoDesk changes while it is being settled.
const LOOKS: usize = 5;

pub(crate) fn settle(
    connection: &mut Connection,
    id: AttemptId,
    settlement: &Settlement<'_>,
    with_retries: bool,
) -> Outcome<Settled> {
    standing::lock_subscription(connection, id)?;
    for _ in 0..LOOKS {
        let standing = standing::read(connection, id)?.ok_or_else(|| answers::missing(id))?;
        let attempt = &standing.attempt;
        if settlement.is_overtaken(attempt, standing.sender) {
            return Ok(Settled::Already(attempt.state));
        }
        let settled = match closing(attempt.state, standing.order_status(settlement.now), settlement.refusal.is_none())
        {
            Closing::Nothing => {
                closing::give_back(connection, attempt, settlement)?;
                Some(Settled::Already(attempt.state))
            }
            Closing::Wait => Some(Settled::NotYet),
            Closing::Contradiction => {
                let trouble = format!(
                    "order {} is marked as paid in EchoDesk, and the bank says that it was not paid",
                    attempt.order
                );
                answers::set_trouble(connection, id, Some(&trouble), settlement.now)?;
                closing::give_back(connection, attempt, settlement)?;
                Some(Settled::Contradiction)
            }
            Closing::Pay { extend, late } => {
                paid::settle(connection, &standing, settlement, extend, late, with_retries)?
            }
            Closing::Fail { count } => failed::settle(connection, &standing, settlement, count)?,
        };
        if let Some(settled) = settled {
            return Ok(settled);
        }
    }
    Err(Failure::Refused("its payment order changes all the time".to_owned()))
}

/// The word for what became of an order.
fn word(state: AttemptState) -> &'static str {
    if state == AttemptState::Paid { "paid" } else { "failed" }
}
