//! What a refusal means: the bank's response codes in words, and whether trying again makes sense.

use echodesk_core::notice::PaymentProblem;

use crate::model::Refusal;

/// What follows from a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Whether and how it is tried again without anybody doing anything.
    pub retry: Retry,
    /// What the customer is told; none if it is no business of the customer's but ours. Such a refusal is
    /// tried again on the next day, however often it happens.
    pub problem: Option<PaymentProblem>,
    /// In words, with the bank's code.
    pub words: String,
}

/// Whether a refused charge is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// On later days, at most so many times.
    Later {
        /// How many further attempts.
        at_most: u32,
    },
    /// Once the customer has spoken with the issuer or given another card.
    AskCustomer,
    /// Never with this card.
    Never,
}

impl Retry {
    /// Whether another card is needed before anything is tried again.
    #[must_use]
    pub fn is_hard(self) -> bool {
        !matches!(self, Self::Later { .. })
    }
}

const LATER: Retry = Retry::Later { at_most: 3 };
const ONCE: Retry = Retry::Later { at_most: 1 };

/// What a refusal means. Codes are those of the bank's page "response codes" (`payment_detail.code`).
#[must_use]
pub fn meaning(refusal: &Refusal) -> Meaning {
    match refusal {
        Refusal::Rejected { code: Some(code), reason } => {
            by_code(code).unwrap_or_else(|| by_reason(Some(code), reason.as_deref()))
        }
        Refusal::Rejected { code: None, reason } => by_reason(None, reason.as_deref()),
        Refusal::Http { status, code, message } => by_answer(*status, code.as_deref(), message),
        Refusal::Person { because } => {
            Meaning { retry: LATER, problem: None, words: format!("not charged, as a person found out: {because}") }
        }
    }
}

fn by_code(code: &str) -> Option<Meaning> {
    use PaymentProblem as P;
    let (retry, problem, words) = match code {
        "101" => (Retry::AskCustomer, P::IssuerRefused, "the issuer limits the use of the card"),
        "102" => (Retry::Never, P::CardNotFound, "the saved card was not found"),
        "103" => (Retry::Never, P::CardNotValid, "the card is not valid"),
        "104" => (LATER, P::LimitReached, "too many transactions with the card"),
        "105" => (Retry::Never, P::CardExpired, "the card has expired"),
        "106" => (LATER, P::LimitReached, "over the card's limit"),
        "107" => (LATER, P::NotEnoughMoney, "not enough money"),
        "108" => (Retry::AskCustomer, P::ConfirmationNeeded, "the authentication was declined"),
        "109" => (LATER, P::Technical, "a technical fault"),
        "110" => (LATER, P::Technical, "the operation ran out of time"),
        "111" => (ONCE, P::ConfirmationNeeded, "the authentication ran out of time"),
        "112" => (LATER, P::Technical, "a general error"),
        "122" => (Retry::AskCustomer, P::IssuerRefused, "declined by the acquiring bank"),
        "199" => (ONCE, P::Technical, "the bank does not know why"),
        _ => return None,
    };
    Some(Meaning { retry, problem: Some(problem), words: format!("{words} (code {code})") })
}

/// A rejection without a code that we know. The bank's reason is `expiration`, `unknown`, or the text
/// of a response code, which may be in any language.
fn by_reason(code: Option<&str>, reason: Option<&str>) -> Meaning {
    let problem = Some(PaymentProblem::Technical);
    let code = code.map_or_else(|| "no code".to_owned(), |code| format!("code {code}"));
    match reason {
        Some("expiration") => Meaning { retry: LATER, problem, words: format!("the order expired unpaid ({code})") },
        None | Some("" | "unknown") => {
            Meaning { retry: ONCE, problem, words: format!("rejected without a reason ({code})") }
        }
        Some(reason) => Meaning { retry: ONCE, problem, words: format!("rejected: {reason} ({code})") },
    }
}

/// A refusal of the call itself. Without a response code it may as well be about us: a wrong address, a
/// service that is not enabled. That is nothing to trouble customers with.
fn by_answer(status: u16, code: Option<&str>, message: &str) -> Meaning {
    if let Some(meaning) = code.and_then(by_code) {
        return meaning;
    }
    let said = if message.is_empty() { String::new() } else { format!(": {message}") };
    let words = match status {
        403 => "the bank does not let us charge saved cards",
        404 => "the bank does not know the saved card, or its address is wrong",
        _ => "the bank refused the request",
    };
    Meaning { retry: LATER, problem: None, words: format!("{words} (HTTP {status}{said})") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rejected(code: Option<&str>, reason: Option<&str>) -> Meaning {
        meaning(&Refusal::Rejected { code: code.map(str::to_owned), reason: reason.map(str::to_owned) })
    }

    fn answered(status: u16, code: Option<&str>) -> Meaning {
        meaning(&Refusal::Http { status, code: code.map(str::to_owned), message: "no".to_owned() })
    }

    #[test]
    fn each_code_has_its_consequence() {
        for code in ["104", "106", "107", "109", "110", "112"] {
            assert_eq!(rejected(Some(code), None).retry, LATER, "{code}");
        }
        for code in ["111", "199"] {
            assert_eq!(rejected(Some(code), None).retry, ONCE, "{code}");
        }
        for code in ["101", "108", "122"] {
            assert_eq!(rejected(Some(code), None).retry, Retry::AskCustomer, "{code}");
        }
        for code in ["102", "103", "105"] {
            assert_eq!(rejected(Some(code), None).retry, Retry::Never, "{code}");
        }
    }

    #[test]
    fn without_a_code_the_reason_decides() {
        assert_eq!(rejected(None, Some("expiration")).retry, LATER);
        for reason in [None, Some(""), Some("unknown"), Some("უარყოფილი")] {
            assert_eq!(rejected(None, reason).retry, ONCE, "{reason:?}");
            assert_eq!(rejected(Some("777"), reason).retry, ONCE, "{reason:?}");
        }
        assert_eq!(rejected(Some("107"), Some("expiration")).retry, LATER, "a code that we know goes first");
    }

    #[test]
    fn a_refused_call_is_the_customers_business_only_if_it_is_about_the_card() {
        for status in [400, 403, 404, 422] {
            let meaning = answered(status, None);
            assert_eq!((meaning.problem, meaning.retry), (None, LATER), "{status}");
        }
        let about_the_card = answered(404, Some("102"));
        assert_eq!(about_the_card.problem, Some(PaymentProblem::CardNotFound));
        assert_eq!(about_the_card.retry, Retry::Never, "a response code in the body is one");
    }

    proptest! {
        #[test]
        fn whatever_the_bank_says_has_a_meaning_that_quotes_it(code in ".{0,8}", reason in ".{0,20}") {
            let meaning = rejected(Some(&code), Some(&reason));
            prop_assert!(meaning.words.contains(&code));
        }
    }
}
