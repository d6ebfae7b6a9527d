//! The subscription costs something else now than the saved card can be charged.

use echodesk_core::Language;
use jiff::Timestamp;

use super::{ending, greeting};
use crate::Rendered;

pub(crate) fn render(name: &str, card_amount: &str, price: &str, renewal: Timestamp, language: Language) -> Rendered {
    let (subject, text) = match language {
        Language::En => (
            "The price of your EchoDesk subscription has changed: please pay once yourself",
            format!(
                "Your EchoDesk subscription now costs {price}. Your saved card can only be charged the old amount of \
                 {card_amount}, so we have not charged it.\n\n\
                 What to do: pay for the subscription once in EchoDesk yourself. The card that you pay with is saved \
                 and charged the new amount from then on."
            ),
        ),
        Language::Ka => (
            "EchoDesk-ის გამოწერის ფასი შეიცვალა: გთხოვთ, ერთხელ თავად გადაიხადოთ",
            format!(
                "თქვენი EchoDesk-ის გამოწერა ახლა {price} ღირს. შენახული ბარათიდან მხოლოდ ძველი თანხის, \
                 {card_amount}-ის, ჩამოჭრა შეგვიძლია, ამიტომ ბარათიდან თანხა არ ჩამოგვიჭრია.\n\n\
                 რა უნდა გააკეთოთ: გამოწერის საფასური ერთხელ EchoDesk-ში თავად გადაიხადეთ. ბარათი, რომლითაც \
                 გადაიხდით, შეინახება და ახალი თანხა შემდეგ მისგან ჩამოიჭრება."
            ),
        ),
        Language::Ru => (
            "Цена подписки EchoDesk изменилась: оплатите её один раз самостоятельно",
            format!(
                "Ваша подписка EchoDesk теперь стоит {price}. С сохранённой карты можно списать только прежнюю \
                 сумму, {card_amount}, поэтому мы ничего не списали.\n\n\
                 Что делать: один раз оплатите подписку в EchoDesk самостоятельно. Карта, которой вы заплатите, \
                 сохранится, и новая сумма будет списываться с неё."
            ),
        ),
    };
    let (greeting, ending) = (greeting(name, language), ending(renewal, language));
    Rendered { subject: subject.to_owned(), text: format!("{greeting}\n\n{text}\n\n{ending}\n") }
}
