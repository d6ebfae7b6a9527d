//! When money moves: it is owed, and was not paid before.

use jiff::SignedDuration;

use crate::invariants::accounts::{CLOCKS_WRONG_BY, GRACE};
use crate::violation::Invariant;
use crate::world::World;
use crate::world::accounts::{Account, Capture, Payer};
use crate::world::bank::Order;

/// A renewal is charged from so long before it is due.
const EARLY: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A run that sees to many tenants at a slow bank decides by what it has read so long ago.
const RUNS_TAKE: SignedDuration = SignedDuration::from_mins(30);

impl World {
    /// The bank moves money.
    pub(crate) fn check_capture(&self, order: &Order, capture: &Capture) {
        let account = self.accounts.read(order.tenant, Clone::clone);
        if capture.payer == Payer::Renewal {
            self.check_owed(order, capture);
        }
        let others = |other: &&Capture| other.payer != Payer::Customer && other.period == capture.period;
        for other in account.captures.iter().filter(others) {
            if is_ours_to_prevent(self, &account, other, capture) {
                let what = format!(
                    "{} was captured for the period from {}, which {} had paid",
                    capture.order, capture.period, other.order
                );
                self.violated(Invariant::OneCapture, order.tenant, what);
            }
        }
    }

    /// Holds a charge of ours against how things stood when it was decided: what came between that and the money
    /// could not be known.
    fn check_owed(&self, order: &Order, capture: &Capture) {
        let decided = order.decided;
        let violated = |what: String| {
            self.violated(Invariant::OneCapture, order.tenant, format!("{}: {what}", capture.order));
        };
        if capture.amount != decided.price {
            violated(format!("{} GEL were captured, and a month costs {}", capture.amount, decided.price));
        }
        if !decided.active {
            violated("it was charged while it was suspended".to_owned());
        }
        let left = decided.expires_at.duration_since(decided.at);
        if left > EARLY + CLOCKS_WRONG_BY {
            violated(format!("it was charged on {}, and was paid until {}", decided.at, decided.expires_at));
        }
        if -left > GRACE + CLOCKS_WRONG_BY + RUNS_TAKE {
            violated(format!("it was charged on {}, and its grace was over", decided.at));
        }
    }
}

/// Two of ours for one period are never right. EchoDesk charges without asking anybody, so beside a charge of its own
/// one of ours is wrong only if we could have known:
///
/// - what it had planned, or had begun, when ours was decided: then ours is not to be made;
/// - that ours was booked when it had planned its own, or that a run of ours came before it began: then what it had
///   planned is to be cancelled.
///
/// Else its web hook was told of an old refusal while our next charge was under way, or after that and no run of ours
/// came between: nobody on our side can prevent that.
fn is_ours_to_prevent(world: &World, account: &Account, one: &Capture, other: &Capture) -> bool {
    let (ours, theirs) = match (one.payer, other.payer) {
        (Payer::Renewal, Payer::EchoDesk) => (one, other),
        (Payer::EchoDesk, Payer::Renewal) => (other, one),
        (Payer::EchoDesk, _) => return false,
        _ => return true,
    };
    let retry = account.retries.iter().find_map(|retry| {
        let (begun, order) = retry.begun.as_ref()?;
        (*order == theirs.order).then_some((retry.planned_at, *begun))
    });
    let Some((planned_at, begun)) = retry else { return true };
    let decided = account.decided.get(&ours.order).map(|decided| decided.at);
    if decided.is_none_or(|decided| decided > planned_at) {
        return true;
    }
    let Some(settled) = account.settled.get(&ours.order).copied().filter(|settled| *settled < begun) else {
        return false;
    };
    let cancels = world.retries_cancelled_at();
    planned_at < settled || cancels.is_some_and(|at| planned_at.max(settled) < at && at < begun)
}
