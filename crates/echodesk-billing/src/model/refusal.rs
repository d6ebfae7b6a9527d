//! Why a charge did not happen, as it was said.

/// A definite no. What follows from it is for [`crate::rules::refusal`] to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bank's order ended as `rejected`.
    Rejected {
        /// `payment_detail.code`, if there was one.
        code: Option<String>,
        /// `reject_reason`, if there was one.
        reason: Option<String>,
    },
    /// The bank answered the call itself with a refusal.
    Http {
        /// The HTTP status.
        status: u16,
        /// A response code in the body, if there was one.
        code: Option<String>,
        /// What the body said, cut to a line.
        message: String,
    },
    /// A person has found out that nothing was charged.
    Person {
        /// How they know.
        because: String,
    },
}
