//! What goes wrong: kinds of faults, how likely each is, and which have happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chance::Chance;

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $per_mille:literal;)+) => {
        /// A kind of fault. Its name is what `--fault` takes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl FaultKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// How likely it is where it can happen, in a thousand, unless something else is asked for.
            #[must_use]
            pub fn usual(self) -> u32 {
                match self { $(Self::$kind => $per_mille,)+ }
            }

            /// What it is, in one line.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$kind => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

faults! {
    /// The bank never gets a charge, and the caller does not learn that.
    BankTimesOutBefore = "bank-times-out-before", 20;
    /// The bank makes the charge, and its answer is lost.
    BankTimesOutAfter = "bank-times-out-after", 30;
    /// A charge is answered 5xx; half of them were made all the same.
    BankServerError = "bank-server-error", 20;
    /// A charge or a question is answered 429.
    BankRateLimit = "bank-rate-limit", 15;
    /// A charge is refused with 4xx although nothing is wrong with it.
    BankClientError = "bank-client-error", 8;
    /// A charge that was made is answered with a page of HTML.
    BankNonsense = "bank-nonsense", 10;
    /// The bank gives out no token.
    BankDown = "bank-down", 20;
    /// A question about an order is not answered.
    BankSilent = "bank-silent", 30;
    /// The bank takes hours or days to end a payment.
    BankSlow = "bank-slow", 60;
    /// A callback never comes.
    CallbackLost = "callback-lost", 150;
    /// A callback comes twice.
    CallbackTwice = "callback-twice", 100;
    /// A callback comes days late.
    CallbackLate = "callback-late", 80;
    /// A callback that says "processing" comes after the one that says how it ended.
    CallbackReordered = "callback-reordered", 50;
    /// A callback comes before the bank has answered the call.
    CallbackEarly = "callback-early", 80;
    /// Somebody sends a callback that the bank has not signed.
    CallbackForged = "callback-forged", 60;
    /// The bank has signed a callback about an order of somebody else's shop, which he has named as one of ours.
    CallbackOfAnother = "callback-of-another", 40;
    /// A charge that was made is answered with the id of another order.
    BankOtherOrder = "bank-other-order", 30;
    /// A question about an order is answered with another one, or with another amount.
    BankWrongReceipt = "bank-wrong-receipt", 4;
    /// A process dies before it writes.
    DeathBeforeWrite = "death-before-write", 3;
    /// A process dies after it has written, before it does anything else.
    DeathAfterWrite = "death-after-write", 3;
    /// A process dies before it calls the bank or the mail server.
    DeathBeforeCall = "death-before-call", 5;
    /// A process dies after the bank or the mail server has done what it was asked.
    DeathAfterCall = "death-after-call", 5;
    /// Several hosts run the same line of the crontab at the same moment.
    HostsAtOnce = "hosts-at-once", 300;
    /// Another host looks at what expires while a run is in the middle of something.
    RunMeanwhile = "run-meanwhile", 3;
    /// Somebody asks what the runs would do while one is in the middle of something.
    DryRunMeanwhile = "dry-run-meanwhile", 2;
    /// What was about to happen in the world happens in the middle of a run.
    WorldMeanwhile = "world-meanwhile", 30;
    /// A host's cron misses a line.
    CronMissed = "cron-missed", 60;
    /// A customer pays at the very moment of the suspension.
    PaidAtLastMoment = "paid-at-last-moment", 60;
    /// No host's cron runs for a day.
    CronDayOff = "cron-day-off", 15;
    /// No host's cron runs for a week.
    CronWeekOff = "cron-week-off", 6;
    /// The clocks on the walls are changed twice within five weeks, where customers or where hosts are.
    DaylightSaving = "daylight-saving", 300;
    /// A host's clock jumps forward, up to an hour, for a day.
    ClockForward = "clock-forward", 20;
    /// A host's clock jumps back, up to an hour, for a day.
    ClockBack = "clock-back", 20;
    /// A host's clock jumps in the middle of a run, to anywhere up to an hour from the true time.
    ClockJumps = "clock-jumps", 2;
    /// The mail server says 4xx.
    SmtpLater = "smtp-later", 60;
    /// The mail server says 5xx.
    SmtpRefused = "smtp-refused", 10;
    /// The connection to the mail server is lost after the mail was taken, before it has said so.
    SmtpLostAfterData = "smtp-lost-after-data", 20;
    /// The connection to the mail server is lost before the mail was taken.
    SmtpBroken = "smtp-broken", 20;
    /// The mail server cannot be reached.
    SmtpDown = "smtp-down", 40;
    /// The database goes away in the middle of a run, for seconds or for good.
    DatabaseAway = "database-away", 2;
    /// A transaction is made, and the database goes away before it has said so.
    DatabaseLostAtCommit = "database-lost-at-commit", 2;
    /// EchoDesk's own web hook gets a callback too, before or after ours: it books a payment, or plans to charge again.
    EchoDeskHook = "echodesk-hook", 250;
    /// A folder's UIDVALIDITY changes, and its messages get new UIDs.
    UidValidityChanges = "uidvalidity-changes", 15;
    /// The connection to a mailbox is cut.
    ImapCut = "imap-cut", 25;
    /// A mailbox cannot be reached, or does not let us in for the moment.
    ImapDown = "imap-down", 20;
    /// A message comes without a Message-ID.
    MessageIdMissing = "message-id-missing", 80;
    /// A message comes with the Message-ID of another.
    MessageIdReused = "message-id-reused", 60;
    /// A mailbox's server takes so long that the time for the mailbox is over.
    ImapSlow = "imap-slow", 10;
    /// A mailbox's password is changed, and nobody tells us.
    ImapPasswordChanged = "imap-password-changed", 2;
    /// A folder cannot be opened for the moment.
    FolderRefused = "folder-refused", 20;
    /// A folder is not there for a while, and comes back.
    FolderDisappears = "folder-disappears", 8;
    /// A message is listed and never delivered.
    MessageUndeliverable = "message-undeliverable", 10;
    /// The connection breaks whenever a certain message is asked for.
    MessageBreaksConnection = "message-breaks-connection", 4;
    /// A host sleeps in the middle of a sync, for longer than its lease.
    HostSleeps = "host-sleeps", 4;
    /// Another host syncs the same mailboxes while a sync is in the middle of something.
    SyncMeanwhile = "sync-meanwhile", 20;
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No fault has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault(String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no fault {:?}; `--list` names them", self.0)
    }
}

impl std::error::Error for UnknownFault {}

impl FromStr for FaultKind {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

/// One fault at one place, under a name that fits into a command line: the first 48 bits of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(u64);

impl FaultId {
    fn of(kind: FaultKind, place: &str) -> Self {
        Self(Chance::new(0).at(&format!("{kind} {place}")).number() >> 16)
    }
}

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl FromStr for FaultId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| format!("{text:?} is not the name of one fault (12 hex digits)"))
    }
}

/// Which faults may happen.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultPlan {
    /// How likely each kind is, from 0 to 1. Kinds that are missing never happen.
    pub probabilities: BTreeMap<FaultKind, f64>,
    /// If given, exactly these happen, whatever is likely.
    pub only: Option<BTreeSet<FaultId>>,
}

impl FaultPlan {
    /// All kinds, as likely as usual.
    #[must_use]
    pub fn all() -> Self {
        let usual = |kind: &FaultKind| (*kind, f64::from(kind.usual()) / 1000.0);
        Self { probabilities: FaultKind::ALL.iter().map(usual).collect(), only: None }
    }

    /// No fault at all.
    #[must_use]
    pub fn none() -> Self {
        Self { probabilities: BTreeMap::new(), only: None }
    }

    /// Some kinds, as likely as usual.
    #[must_use]
    pub fn of(kinds: &[FaultKind]) -> Self {
        let mut all = Self::all();
        all.probabilities.retain(|kind, _| kinds.contains(kind));
        all
    }
}

/// Decides which faults happen, and counts them.
#[derive(Debug)]
pub struct Faults {
    chance: Chance,
    plan: FaultPlan,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// While it is quiet nothing goes wrong.
    quiet: bool,
    counts: BTreeMap<FaultKind, u64>,
    happened: Vec<FaultId>,
    described: Vec<String>,
}

impl Faults {
    /// Those of a plan, by this chance.
    #[must_use]
    pub fn new(chance: Chance, plan: FaultPlan) -> Self {
        Self { chance, plan, state: Mutex::default() }
    }

    /// Whether a fault happens at this place. A place names time, host, job, call and tenant, so that it is the same
    /// place when fewer tenants are simulated.
    pub fn happens(&self, kind: FaultKind, place: &str) -> bool {
        let happens = self.is_to_happen(kind, place);
        if happens {
            self.has_happened(kind);
        }
        happens
    }

    /// Counts a fault that was to happen.
    pub fn has_happened(&self, kind: FaultKind) {
        *self.lock().counts.entry(kind).or_default() += 1;
    }

    /// Whether a fault is to happen at this place, at a later time if at all.
    pub fn is_to_happen(&self, kind: FaultKind, place: &str) -> bool {
        let Some(probability) = self.plan.probabilities.get(&kind) else { return false };
        if self.lock().quiet {
            return false;
        }
        let happens = match &self.plan.only {
            Some(only) => only.contains(&FaultId::of(kind, place)),
            None => self.chance.at(&format!("fault {kind} {place}")).happens(*probability),
        };
        if happens {
            let mut state = self.lock();
            // Whoever looks for what can be left out has to know of it, even if it has not happened yet.
            state.counts.entry(kind).or_default();
            state.happened.push(FaultId::of(kind, place));
            if self.plan.only.is_some() {
                state.described.push(format!("{kind}: {place}"));
            }
        }
        happens
    }

    /// From now on nothing goes wrong, or it may again.
    pub fn set_quiet(&self, quiet: bool) {
        self.lock().quiet = quiet;
    }

    /// Whether nothing goes wrong at present.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.lock().quiet
    }

    /// How many of each kind have happened.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<FaultKind, u64> {
        self.lock().counts.clone()
    }

    /// Those that have happened, in their order.
    #[must_use]
    pub fn happened(&self) -> Vec<FaultId> {
        self.lock().happened.clone()
    }

    /// The same in words, if the plan names them one by one: else they are too many.
    #[must_use]
    pub fn described(&self) -> Vec<String> {
        self.lock().described.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happening(plan: FaultPlan) -> (Vec<usize>, Faults) {
        let faults = Faults::new(Chance::new(3), plan);
        let places = (0..500).filter(|n| faults.happens(FaultKind::SmtpLater, &format!("place {n}"))).collect();
        (places, faults)
    }

    #[test]
    fn single_faults_can_be_repeated_without_the_others() {
        let (places, faults) = happening(FaultPlan::all());
        assert!((5..80).contains(&places.len()), "{places:?}");
        assert_eq!(faults.counts()[&FaultKind::SmtpLater], places.len() as u64);
        let one: FaultId = faults.happened()[2].to_string().parse().unwrap();
        let (again, _) = happening(FaultPlan { only: Some([one].into()), ..FaultPlan::all() });
        assert_eq!(again, [places[2]]);
    }

    #[test]
    fn nothing_happens_that_is_switched_off_or_while_it_is_quiet() {
        assert_eq!(happening(FaultPlan::none()).0, [0; 0]);
        assert_eq!(happening(FaultPlan::of(&[FaultKind::SmtpDown])).0, [0; 0]);
        let faults = Faults::new(Chance::new(3), FaultPlan::all());
        faults.set_quiet(true);
        assert!((0..500).all(|n| !faults.happens(FaultKind::SmtpLater, &format!("place {n}"))));
    }

    #[test]
    fn names_are_unique_and_read_back() {
        for kind in FaultKind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
            assert!(kind.what().ends_with('.'), "{kind}");
        }
        assert_eq!("rain".parse::<FaultKind>(), Err(UnknownFault("rain".to_owned())));
    }
}
