//! How the sandbox server behaves.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use echodesk_test_servers::certificate::Authority;

/// Everything that can be chosen about a server.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// What CAPABILITY lists after log in. What is not listed is not understood either.
    pub capabilities: Vec<&'static str>,
    /// How long a question and its answer are on the way together.
    pub round_trip: Duration,
    /// What the server does wrong.
    pub misbehaviours: Vec<Misbehaviour>,
    /// How folder names are written in LIST answers.
    pub names: NameStyle,
    /// The address to listen on; the certificate is for it and `localhost`.
    pub address: IpAddr,
    /// Who signs the certificate; somebody new if not given.
    pub authority: Option<Arc<Authority>>,
}

/// What Dovecot offers, as far as this server understands it.
pub const MODERN: [&str; 11] = [
    "IMAP4rev1",
    "SASL-IR",
    "LITERAL+",
    "ENABLE",
    "ID",
    "NAMESPACE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "SPECIAL-USE",
    "CONDSTORE",
    "ESEARCH",
];

/// What every server offers, and some large ones no more than this.
pub const PLAIN: [&str; 1] = ["IMAP4rev1"];

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            capabilities: MODERN.to_vec(),
            round_trip: Duration::ZERO,
            misbehaviours: Vec::new(),
            names: NameStyle::Quoted,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            authority: None,
        }
    }
}

impl Behaviour {
    /// A server that does one thing wrong.
    #[must_use]
    pub fn wrong(misbehaviour: Misbehaviour) -> Self {
        Self { misbehaviours: vec![misbehaviour], ..Self::default() }
    }

    pub(super) fn has(&self, misbehaviour: Misbehaviour) -> bool {
        self.misbehaviours.contains(&misbehaviour)
    }

    pub(super) fn offers(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|offered| offered.eq_ignore_ascii_case(capability))
    }
}

/// The three ways a name may be written in an answer (RFC 3501, `astring`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameStyle {
    /// `"Name"`.
    Quoted,
    /// `Name`, where its characters allow that.
    Atom,
    /// `{4}` and the bytes.
    Literal,
}

/// One thing a server can do wrong. Each has been seen in the wild or is what a hostile one would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Accepts the connection and says nothing.
    StallAtGreeting,
    /// Never answers LOGIN or AUTHENTICATE.
    StallAtLogin,
    /// Never answers LIST.
    StallAtList,
    /// Stops in the middle of a body and stays connected.
    StallAtFetch,
    /// Answers FETCH with untagged answers without end.
    Flood,
    /// Answers LIST with a line without end.
    EndlessLine,
    /// Announces a literal of 4 GB where a body should be.
    HugeLiteral,
    /// RFC822.SIZE is a tenth of the truth.
    SizeTooSmall,
    /// RFC822.SIZE is ten times the truth.
    SizeTooLarge,
    /// Untagged answers nobody asked for before every tagged one.
    Unsolicited,
    /// Lines that are no IMAP before every tagged answer.
    Malformed,
    /// Closes the connection after half of the third body.
    CloseMidLiteral,
    /// Offers LIST-STATUS and answers BAD to it.
    RefuseListStatus,
    /// Bodies are NIL.
    NilBodies,
    /// FETCH answers come last first.
    WrongOrder,
    /// Every FETCH answer comes twice.
    DuplicateFetches,
    /// Every second message is not in the FETCH answers.
    FewerMessages,
    /// Untagged NO and BAD in between, which mean nothing.
    UntaggedNo,
    /// BYE after the second FETCH answer.
    ByeMidFetch,
    /// Greets with BYE.
    ByeGreeting,
    /// A byte a second, from LIST on.
    Trickle,
    /// Refuses every password.
    WrongPassword,
    /// Refuses to log anybody in for now.
    Unavailable,
    /// UIDVALIDITY is another in EXAMINE than in LIST and STATUS.
    UidValidityChanges,
    /// Folders other than INBOX answer NO to EXAMINE.
    RefuseFolder,
    /// FETCH of bodies answers NO.
    RefuseFetch,
    /// Does not know STARTTLS.
    NoStartTls,
    /// Sends plain text behind the OK to STARTTLS, to be taken for an answer under TLS.
    StartTlsInjection,
    /// Tagged answers have a tag that nobody sent.
    WrongTag,
}

impl Misbehaviour {
    /// All of them, with their names on the command line.
    pub const ALL: [(&'static str, Self); 29] = [
        ("stall-at-greeting", Self::StallAtGreeting),
        ("stall-at-login", Self::StallAtLogin),
        ("stall-at-list", Self::StallAtList),
        ("stall-at-fetch", Self::StallAtFetch),
        ("flood", Self::Flood),
        ("endless-line", Self::EndlessLine),
        ("huge-literal", Self::HugeLiteral),
        ("size-too-small", Self::SizeTooSmall),
        ("size-too-large", Self::SizeTooLarge),
        ("unsolicited", Self::Unsolicited),
        ("malformed", Self::Malformed),
        ("close-mid-literal", Self::CloseMidLiteral),
        ("refuse-list-status", Self::RefuseListStatus),
        ("nil-bodies", Self::NilBodies),
        ("wrong-order", Self::WrongOrder),
        ("duplicate-fetches", Self::DuplicateFetches),
        ("fewer-messages", Self::FewerMessages),
        ("untagged-no", Self::UntaggedNo),
        ("bye-mid-fetch", Self::ByeMidFetch),
        ("bye-greeting", Self::ByeGreeting),
        ("trickle", Self::Trickle),
        ("wrong-password", Self::WrongPassword),
        ("unavailable", Self::Unavailable),
        ("uid-validity-changes", Self::UidValidityChanges),
        ("refuse-folder", Self::RefuseFolder),
        ("refuse-fetch", Self::RefuseFetch),
        ("no-starttls", Self::NoStartTls),
        ("starttls-injection", Self::StartTlsInjection),
        ("wrong-tag", Self::WrongTag),
    ];

    /// The misbehaviour of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, misbehaviour)| *misbehaviour)
    }
}
