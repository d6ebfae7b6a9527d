//! Saved cards, and what becomes of charges to them.

/// A saved card: what becomes of the charges to it, one after another; the last goes for all that follow.
#[derive(Clone, Debug)]
pub struct Card {
    /// At least one.
    pub outcomes: Vec<Outcome>,
    /// ISO 4217.
    pub currency: String,
}

/// What becomes of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is captured.
    Pays,
    /// It is captured, but for another amount than was asked. A decimal in major units.
    PaysOther(String),
    /// The order is rejected.
    Rejected {
        /// `payment_detail.code`, such as `107`.
        code: Option<String>,
        /// `reject_reason`, such as `expiration`.
        reason: Option<String>,
    },
    /// The call itself is answered with a refusal; no order comes to be.
    Refused {
        /// The HTTP status.
        status: u16,
        /// JSON.
        body: String,
    },
    /// The order stays `processing` until [`super::SandboxBank::settle_as`] says how it ends.
    Stuck,
}

impl Outcome {
    /// Rejected with a response code, and the reason that the bank has for it.
    #[must_use]
    pub fn rejected(code: &str) -> Self {
        Self::Rejected { code: Some(code.to_owned()), reason: Some(description(code).to_owned()) }
    }

    /// Rejected without a code, for a reason such as `expiration`.
    #[must_use]
    pub fn rejected_without_code(reason: &str) -> Self {
        Self::Rejected { code: None, reason: Some(reason.to_owned()) }
    }

    /// Refused by the call itself.
    #[must_use]
    pub fn refused(status: u16, message: &str) -> Self {
        Self::Refused { status, body: serde_json::json!({ "message": message }).to_string() }
    }
}

impl Card {
    /// A card in lari to which charges go like this, one after another.
    ///
    /// # Panics
    /// No outcome is given.
    #[must_use]
    pub fn with(outcomes: &[Outcome]) -> Self {
        assert!(!outcomes.is_empty(), "a charge has some outcome");
        Self { outcomes: outcomes.to_vec(), currency: "GEL".to_owned() }
    }

    /// A card that pays.
    #[must_use]
    pub fn pays() -> Self {
        Self::with(&[Outcome::Pays])
    }

    /// A card to which charges are rejected with this response code.
    #[must_use]
    pub fn rejected(code: &str) -> Self {
        Self::with(&[Outcome::rejected(code)])
    }

    /// A card that the bank no longer has, as an order that is rejected with code 102.
    #[must_use]
    pub fn gone() -> Self {
        Self::rejected("102")
    }

    /// A card that the bank no longer has, as a call that is answered with 404 and the response code.
    #[must_use]
    pub fn gone_at_once() -> Self {
        let body = serde_json::json!({ "message": "Saved card not found", "code": "102" }).to_string();
        Self::with(&[Outcome::Refused { status: 404, body }])
    }

    pub(crate) fn outcome(&self, charges_before: usize) -> Outcome {
        self.outcomes.get(charges_before).or(self.outcomes.last()).cloned().unwrap_or(Outcome::Pays)
    }
}

/// The bank's words for a response code.
#[must_use]
pub fn description(code: &str) -> &'static str {
    match code {
        "100" => "Successful payment",
        "101" => "Limited card usage",
        "102" => "Saved card not found",
        "103" => "Invalid card",
        "104" => "Exceeded the allowed number of transactions",
        "105" => "Expired card",
        "106" => "Exceeded the limit amount",
        "107" => "Insufficient funds",
        "108" => "Authentication declined",
        "109" => "Technical malfunction",
        "110" => "Operation timed out",
        "111" => "Authentication timed out",
        "112" => "General error",
        "122" => "Declined by the acquirer",
        "199" => "Unknown response",
        "200" => "Successful preauthorization",
        _ => "Declined",
    }
}
