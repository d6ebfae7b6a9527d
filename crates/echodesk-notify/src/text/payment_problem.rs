//! What kept a bank from paying, and what its customer can do about it.

use echodesk_core::Language;
use echodesk_core::notice::PaymentProblem;

/// The problem, as the end of a sentence.
pub(super) fn words(problem: PaymentProblem, language: Language) -> &'static str {
    use PaymentProblem as P;
    let (english, georgian, russian) = match problem {
        P::NotEnoughMoney => (
            "there is not enough money on the card",
            "ბარათზე საკმარისი თანხა არ არის",
            "на карте недостаточно средств",
        ),
        P::CardExpired => ("the card has expired", "ბარათს ვადა გაუვიდა", "срок действия карты истёк"),
        P::CardNotValid => ("the card is not valid", "ბარათი არ მოქმედებს", "карта недействительна"),
        P::CardNotFound => (
            "the bank no longer knows the saved card",
            "ბანკმა შენახული ბარათი ვერ იპოვა",
            "банк не нашёл сохранённую карту",
        ),
        P::LimitReached => ("a limit of the card is used up", "ბარათის ლიმიტი ამოწურულია", "превышен лимит по карте"),
        P::IssuerRefused => (
            "the bank that issued the card did not allow it",
            "ბარათის გამცემმა ბანკმა გადახდა არ დაუშვა",
            "банк, выпустивший карту, отклонил платёж",
        ),
        P::ConfirmationNeeded => (
            "the bank wants you to confirm the payment in person",
            "ბანკი ითხოვს, რომ გადახდა პირადად დაადასტუროთ",
            "банк требует, чтобы вы подтвердили платёж лично",
        ),
        P::Technical => ("there was a technical fault", "მოხდა ტექნიკური შეფერხება", "произошёл технический сбой"),
    };
    pick(language, english, georgian, russian)
}

/// What to do, as what follows a colon. `again`: the card is charged once more on a day named before.
pub(super) fn advice(problem: PaymentProblem, again: bool, language: Language) -> &'static str {
    use PaymentProblem as P;
    let (english, georgian, russian) = match (problem, again) {
        (P::NotEnoughMoney, true) => (
            "make sure that there is enough money on the card by then, or pay for the subscription in EchoDesk \
             yourself.",
            "ამ დღისთვის ბარათზე საკმარისი თანხა შეიტანეთ ან გამოწერის საფასური EchoDesk-ში თავად გადაიხადეთ.",
            "пополните карту к этому дню или оплатите подписку в EchoDesk самостоятельно.",
        ),
        (P::LimitReached, true) => (
            "ask your bank to raise the limit by then, or pay for the subscription in EchoDesk with another card.",
            "სთხოვეთ ბანკს, ამ დღემდე გაზარდოს ბარათის ლიმიტი, ან გამოწერის საფასური EchoDesk-ში სხვა ბარათით \
             გადაიხადეთ.",
            "попросите банк увеличить лимит к этому дню или оплатите подписку в EchoDesk другой картой.",
        ),
        (P::NotEnoughMoney | P::LimitReached, false) => (
            "pay for the subscription in EchoDesk yourself, with this card or another.",
            "გამოწერის საფასური EchoDesk-ში თავად გადაიხადეთ, ამ ან სხვა ბარათით.",
            "оплатите подписку в EchoDesk самостоятельно, этой или другой картой.",
        ),
        (P::CardExpired | P::CardNotValid | P::CardNotFound, _) => (
            "pay for the subscription in EchoDesk with a valid card. It is saved and charged from then on.",
            "გამოწერის საფასური EchoDesk-ში მოქმედი ბარათით გადაიხადეთ. ის შეინახება და შემდეგი გადახდები მისგან \
             ჩამოიჭრება.",
            "оплатите подписку в EchoDesk действующей картой. Она сохранится, и следующие платежи будут списываться \
             с неё.",
        ),
        (P::IssuerRefused, _) => (
            "ask the bank that issued the card, or pay for the subscription in EchoDesk with another card.",
            "ჰკითხეთ მიზეზი ბარათის გამცემ ბანკს ან გამოწერის საფასური EchoDesk-ში სხვა ბარათით გადაიხადეთ.",
            "узнайте причину в банке, выпустившем карту, или оплатите подписку в EchoDesk другой картой.",
        ),
        (P::ConfirmationNeeded, _) => (
            "pay for the subscription in EchoDesk yourself, and confirm the payment when your bank asks you to.",
            "გამოწერის საფასური EchoDesk-ში თავად გადაიხადეთ და გადახდა დაადასტურეთ, როცა ბანკი მოგთხოვთ.",
            "оплатите подписку в EchoDesk самостоятельно и подтвердите платёж, когда банк об этом попросит.",
        ),
        (P::Technical, true) => (
            "nothing for now. If you would rather not wait, pay for the subscription in EchoDesk yourself.",
            "ამჟამად არაფერი. თუ ლოდინი არ გსურთ, გამოწერის საფასური EchoDesk-ში თავად გადაიხადეთ.",
            "пока ничего. Если не хотите ждать, оплатите подписку в EchoDesk самостоятельно.",
        ),
        (P::Technical, false) => (
            "pay for the subscription in EchoDesk yourself.",
            "გამოწერის საფასური EchoDesk-ში თავად გადაიხადეთ.",
            "оплатите подписку в EchoDesk самостоятельно.",
        ),
    };
    pick(language, english, georgian, russian)
}

fn pick(language: Language, english: &'static str, georgian: &'static str, russian: &'static str) -> &'static str {
    match language {
        Language::En => english,
        Language::Ka => georgian,
        Language::Ru => russian,
    }
}
