//! The plan with which each bug is looked for.

use crate::bugs::Bug;
use crate::fault::{FaultKind, FaultPlan};
use crate::plan::Plan;

impl Bug {
    /// What is simulated to find it: a small world with all that goes wrong, and more of what it takes to show.
    #[must_use]
    pub fn plan(self) -> Plan {
        let mut faults = FaultPlan::all();
        for (kind, per_mille) in self.helped_by() {
            faults.probabilities.insert(*kind, f64::from(*per_mille) / 1000.0);
        }
        let is_helped = !self.helped_by().is_empty();
        let needs_months =
            matches!(self, Self::KeyTrustedForever | Self::RetriesNotCancelled | Self::OpenChargeIgnored);
        Plan {
            tenants: match self {
                // Somebody has to change something in the very second in which he is charged.
                Self::PrepareUnguarded => 80,
                // Somebody has to be charged just before he is suspended.
                Self::OpenChargeIgnored => 120,
                _ => 20,
            },
            days: if is_helped && !needs_months { 40 } else { 80 },
            // Those of mailboxes come last in the list. The others need none, and mail takes most of the time.
            mailboxes: if self >= Self::CursorBeforeStoring { 100 } else { 0 },
            faults,
            bug: Some(self),
            ..Plan::default()
        }
    }

    /// What has to go wrong for it to do harm, so often in a thousand.
    fn helped_by(self) -> &'static [(FaultKind, u32)] {
        use FaultKind as F;
        match self {
            Self::UnknownIsFailed | Self::TimeOutIsNotSent | Self::NewKeyOnRetry | Self::NewOrderOnRetry => {
                &[(F::BankTimesOutAfter, 200), (F::CallbackLost, 500)]
            }
            Self::KeyNeverTrusted => &[(F::BankTimesOutBefore, 700), (F::CallbackLost, 500)],
            Self::KeyTrustedForever => &[(F::DeathAfterCall, 300), (F::CallbackLost, 1000), (F::CronWeekOff, 150)],
            Self::OpenChargeIgnored => &[(F::BankSlow, 900), (F::CallbackLost, 1000), (F::CronWeekOff, 100)],
            Self::PrepareUnguarded => &[(F::WorldMeanwhile, 700)],
            Self::ReceiptUnchecked => &[(F::BankWrongReceipt, 100)],
            Self::ForeignRetryIgnored => &[(F::EchoDeskHook, 1000), (F::BankSlow, 300)],
            Self::RetriesNotCancelled => &[(F::EchoDeskHook, 1000), (F::CallbackLate, 700)],
            _ => &[],
        }
    }
}
