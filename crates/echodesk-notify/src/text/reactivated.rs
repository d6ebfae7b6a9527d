//! A payment has lifted the suspension.

use echodesk_core::Language;
use jiff::Timestamp;

use super::{day, greeting};
use crate::Rendered;

pub(crate) fn render(name: &str, paid_until: Timestamp, language: Language) -> Rendered {
    let until = day::until(day::of(paid_until), language);
    let (subject, text) = match language {
        Language::En => (
            "Your EchoDesk account is active again",
            format!(
                "We have received your payment, and your EchoDesk account is active again. The subscription is paid \
                 {until}. Your data was kept.\n\nThere is nothing that you need to do."
            ),
        ),
        Language::Ka => (
            "თქვენი EchoDesk-ის ანგარიში კვლავ აქტიურია",
            format!(
                "თქვენი გადახდა მივიღეთ და EchoDesk-ის ანგარიში კვლავ აქტიურია. გამოწერა გადახდილია {until}. თქვენი \
                 მონაცემები შენახულია.\n\nთქვენგან არაფერია საჭირო."
            ),
        ),
        Language::Ru => (
            "Ваш аккаунт EchoDesk снова активен",
            format!(
                "Мы получили ваш платёж, и ваш аккаунт EchoDesk снова активен. Подписка оплачена {until}. Ваши данные \
                 сохранены.\n\nОт вас ничего не требуется."
            ),
        ),
    };
    let greeting = greeting(name, language);
    Rendered { subject: subject.to_owned(), text: format!("{greeting}\n\n{text}\n") }
}
