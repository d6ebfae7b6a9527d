//! Known bugs of such systems, put back in from outside: thin layers around the ports that the real runs see. The
//! runs themselves know nothing of them.

mod billing;
mod mail;
mod notices;
mod status;
mod suspensions;

use std::fmt;
use std::str::FromStr;

pub(crate) use billing::{bank, believes_everybody, billing_store, callback_body, dry_prepare, policy};
pub(crate) use mail::{dry_run_stores, mail_server, mail_store};
pub(crate) use notices::{outbox, transport};
pub(crate) use status::{dry_run, expiry_policy, status_store};

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)+) => {
        /// A bug. Its name is what `--bug` takes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Bug {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What it is, in one line.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

bugs! {
    /// The bank is called before the attempt is written down.
    ChargeBeforeWriting = "charge-before-writing";
    /// A call that is repeated has a new key.
    NewKeyOnRetry = "new-key-on-retry";
    /// A charge of which nothing was heard is taken for one that failed.
    UnknownIsFailed = "unknown-is-failed";
    /// A payment is booked without looking whether it was booked before.
    SettlementUnguarded = "settlement-unguarded";
    /// A payment extends from the day of payment.
    ExtensionFromNow = "extension-from-now";
    /// The signature of a callback is not looked at.
    CallbackUnverified = "callback-unverified";
    /// The claim of a run that died is never over.
    ClaimWithoutExpiry = "claim-without-expiry";
    /// A card is charged what it can be charged, whatever the subscription costs.
    PriceIgnored = "price-ignored";
    /// A retry that EchoDesk has scheduled itself is charged as well.
    ForeignRetryIgnored = "foreign-retry-ignored";
    /// A charge is decided by what was read before, and not looked at again when it is written down.
    PrepareUnguarded = "prepare-unguarded";
    /// A payment after a suspension lifts that of the subscription and forgets the tenant.
    ReactivationForgetsTenant = "reactivation-forgets-tenant";
    /// A charge of which nothing was heard is made again at once, as a new order.
    NewOrderOnRetry = "new-order-on-retry";
    /// A charge that has timed out is taken for one that was never sent.
    TimeOutIsNotSent = "time-out-is-not-sent";
    /// A call is repeated with a key that the bank has forgotten.
    KeyTrustedForever = "key-trusted-forever";
    /// A charge of which nothing was heard is left to a person, and not asked about again.
    KeyNeverTrusted = "key-never-trusted";
    /// Now and then what sees to one charge panics, and nobody but the log is told.
    PanicsInATask = "panics-in-a-task";
    /// Nobody asks the bank how a payment has ended: callbacks are to tell.
    ReceiptsNotAsked = "receipts-not-asked";
    /// An answer about a payment is believed, whatever order and amount it is about.
    ReceiptUnchecked = "receipt-unchecked";
    /// A callback is believed if it names an order of ours, whatever its amount and card.
    CallbackOfAnother = "callback-of-another";
    /// A payment that EchoDesk has booked is booked once more.
    HookIgnored = "hook-ignored";
    /// A payment extends by a month of the calendar.
    ExtensionByCalendar = "extension-by-calendar";
    /// What EchoDesk has planned to charge itself is not cancelled by a payment.
    RetriesNotCancelled = "retries-not-cancelled";
    /// A subscription is charged ten days before it is due.
    ChargedTooEarly = "charged-too-early";
    /// Reminders go out on the seventh and third day only, whether or not a run was made on it.
    ReminderOnExactDay = "reminder-on-exact-day";
    /// A suspension is written down without looking whether it is still due.
    SuspensionUnconditional = "suspension-unconditional";
    /// The tenant is suspended a day before the grace is over.
    GraceADayShort = "grace-a-day-short";
    /// Suspending deletes what is saved.
    SuspensionDeletes = "suspension-deletes";
    /// Reactivating deletes the saved card.
    ReactivationDeletes = "reactivation-deletes";
    /// A suspension is written down, and its notice in another transaction.
    SuspensionNoticeApart = "suspension-notice-apart";
    /// An open charge does not keep anybody from being suspended.
    OpenChargeIgnored = "open-charge-ignored";
    /// A suspension of who has paid meanwhile is not lifted.
    SuspensionNotLifted = "suspension-not-lifted";
    /// Days are counted in UTC, wherever the customers are.
    DaysInUtc = "days-in-utc";
    /// A notice is marked as sent before it is.
    NoticeMarkedBeforeSent = "notice-marked-before-sent";
    /// A notice that is sent again has a new Message-ID.
    FreshMessageId = "fresh-message-id";
    /// The same warning is queued by every run.
    NoticeNotUnique = "notice-not-unique";
    /// What was queued is sent whatever has happened since.
    NoticeNotLookedAtAgain = "notice-not-looked-at-again";
    /// A notice that could not be sent is forgotten.
    NoticeDropped = "notice-dropped";
    /// The claim on notices of a delivery that died is never over.
    NoticeClaimWithoutExpiry = "notice-claim-without-expiry";
    /// A dry run queues its notices.
    DryRunWrites = "dry-run-writes";
    /// A dry run writes the charges down that it would make.
    DryRunPrepares = "dry-run-prepares";
    /// The cursor of a folder is moved before its messages are stored.
    CursorBeforeStoring = "cursor-before-storing";
    /// A message whose Message-ID is known is taken for the same.
    MessageIdOnly = "message-id-only";
    /// A folder whose UIDVALIDITY has changed is read on as if it had not.
    UidValidityIgnored = "uidvalidity-ignored";
    /// A mailbox whose connection was cut counts as read.
    CutCountsAsRead = "cut-counts-as-read";
    /// The lease on a mailbox of a run that died is never over.
    LeaseWithoutExpiry = "lease-without-expiry";
    /// New messages are looked for by their date.
    NewByDate = "new-by-date";
    /// A message that is stored is stored again where it is moved to.
    PlaceIsIdentity = "place-is-identity";
    /// A message that is listed and not delivered counts as deleted.
    UndeliveredIsGone = "undelivered-is-gone";
    /// A message that cannot be stored as it is is passed over.
    OddMessageSkipped = "odd-message-skipped";
    /// What one run does not get to is forgotten.
    PendingForgotten = "pending-forgotten";
    /// A mailbox counts as read although a folder was refused.
    RefusedFolderCountsAsRead = "refused-folder-counts-as-read";
    /// Messages that are deleted on the server stand as if they were there.
    DeletionsIgnored = "deletions-ignored";
    /// What has left the server is forgotten.
    GoneForgotten = "gone-forgotten";
    /// Flags that are changed on the server are not brought up to date.
    FlagsIgnored = "flags-ignored";
    /// Whoever has lost a mailbox's lease goes on writing.
    LeaseUnchecked = "lease-unchecked";
    /// Whoever has lost a mailbox's lease takes it again once it is given back, and goes on writing.
    RenewsALostLease = "renews-a-lost-lease";
    /// The first failure switches a mailbox off.
    SwitchedOffAtOnce = "switched-off-at-once";
    /// A message is given up as soon as the connection has broken over it once.
    GivenUpAtOnce = "given-up-at-once";
    /// A dry run stores what it reads.
    DryRunStores = "dry-run-stores";
    /// A dry run takes the leases of mailboxes.
    DryRunTakesLease = "dry-run-takes-lease";
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No bug has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBug(String);

impl fmt::Display for UnknownBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no bug {:?}; `--list` names them", self.0)
    }
}

impl std::error::Error for UnknownBug {}

impl FromStr for Bug {
    type Err = UnknownBug;

    fn from_str(name: &str) -> Result<Self, UnknownBug> {
        Self::ALL.iter().copied().find(|bug| bug.name() == name).ok_or_else(|| UnknownBug(name.to_owned()))
    }
}
