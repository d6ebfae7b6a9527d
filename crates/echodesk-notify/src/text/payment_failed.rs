//! The saved card was charged for a renewal, and the bank refused.

use echodesk_core::Language;
use echodesk_core::notice::PaymentProblem;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{day, ending, greeting, payment_problem};
use crate::Rendered;

/// What the notice names.
pub(crate) struct PaymentFailed<'a> {
    pub(crate) amount: &'a str,
    pub(crate) problem: PaymentProblem,
    pub(crate) next_attempt: Option<Date>,
    pub(crate) renewal: Timestamp,
}

pub(crate) fn render(name: &str, failed: &PaymentFailed<'_>, language: Language) -> Rendered {
    let amount = failed.amount;
    let problem = payment_problem::words(failed.problem, language);
    let advice = payment_problem::advice(failed.problem, failed.next_attempt.is_some(), language);
    let next = next(failed.next_attempt, language);
    let (subject, what, to_do) = match language {
        Language::En => (
            format!("Your EchoDesk payment of {amount} did not go through"),
            format!(
                "We tried to renew your EchoDesk subscription by charging {amount} to your saved card, but the payment \
                 did not go through: {problem}."
            ),
            "What to do",
        ),
        Language::Ka => (
            format!("EchoDesk-ის გამოწერის გადახდა ვერ შესრულდა: {amount}"),
            format!(
                "EchoDesk-ის გამოწერის გასაგრძელებლად თქვენი შენახული ბარათიდან {amount}-ის ჩამოჭრა ვცადეთ, მაგრამ \
                 გადახდა ვერ შესრულდა: {problem}."
            ),
            "რა უნდა გააკეთოთ",
        ),
        Language::Ru => (
            format!("Оплата подписки EchoDesk не прошла: {amount}"),
            format!(
                "Мы попытались продлить вашу подписку EchoDesk и списать {amount} с сохранённой карты, но платёж не \
                 прошёл: {problem}."
            ),
            "Что делать",
        ),
    };
    let (greeting, ending) = (greeting(name, language), ending(failed.renewal, language));
    Rendered { subject, text: format!("{greeting}\n\n{what} {next}\n\n{to_do}: {advice}\n\n{ending}\n") }
}

fn next(day: Option<Date>, language: Language) -> String {
    let Some(day) = day.map(|day| day::on(day, language)) else {
        return match language {
            Language::En => "We will not charge this card again for this renewal.",
            Language::Ka => "ამ პერიოდისთვის ამ ბარათიდან თანხის ჩამოჭრას აღარ ვცდით.",
            Language::Ru => "За этот период мы больше не будем списывать деньги с этой карты.",
        }
        .to_owned();
    };
    match language {
        Language::En => format!("We will charge the card again {day}."),
        Language::Ka => format!("თანხის ჩამოჭრას ხელახლა ვცდით {day}."),
        Language::Ru => format!("Мы повторим списание {day}."),
    }
}
