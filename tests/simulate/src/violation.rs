//! The promises that are checked, and one that was broken.

use std::fmt;

use jiff::Timestamp;

use crate::trace::TenantNumber;

macro_rules! invariants {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal;)+) => {
        /// A promise. Its number is that of the list in the documentation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Invariant {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Invariant {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its number.
            #[must_use]
            pub fn number(self) -> u8 {
                match self { $(Self::$name => $number,)+ }
            }

            /// What is promised.
            #[must_use]
            pub fn promise(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

invariants! {
    /// At most one capture per subscription and period, of the right amount and not before it is due.
    OneCapture = 1;
    /// Every capture extends exactly once, by the right time, and nothing else extends.
    OneExtension = 2;
    /// Nobody is suspended who has paid or whose payment is unknown.
    NoWrongSuspension = 3;
    /// Each notice at most once per kind, period and day, true when it is sent, and none marked as sent that was not; a repeat only after a crash, with the same Message-ID.
    ExactNotices = 4;
    /// Suspension only after the full grace, always with its notice queued.
    FullGrace = 5;
    /// Suspension changes no data; reactivation restores access.
    DataKept = 6;
    /// Every UID that the server has held has exactly one fate, and every message within the window is stored once.
    ExactMail = 7;
    /// A dry run writes and sends nothing.
    DryRunsChangeNothing = 8;
    /// Once faults stop, everything open is resolved within three days of runs, without a person, except what needs one.
    AllResolved = 9;
    /// Whoever is due a reminder, a warning or a suspension has it after a run that was not disturbed.
    NobodyForgotten = 10;
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.number(), self.promise())
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// To whom; none if it is nobody's alone.
    pub tenant: Option<TenantNumber>,
    /// When that was seen.
    pub at: Timestamp,
    /// What was seen, and what should have been.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whom = self.tenant.map_or_else(|| "all tenants".to_owned(), |tenant| tenant.to_string());
        write!(f, "invariant {}\n  broken for {whom} at {:.3}: {}", self.invariant, self.at, self.what)
    }
}
