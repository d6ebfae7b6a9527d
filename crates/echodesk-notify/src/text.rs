//! The words, in English, Georgian and Russian: one file for each kind of notice, and here what they
//! share.

mod day;
pub(crate) mod mailbox_switched_off;
pub(crate) mod payment_failed;
mod payment_problem;
pub(crate) mod price_changed;
pub(crate) mod reactivated;

use echodesk_core::Language;
use jiff::Timestamp;

fn greeting(name: &str, language: Language) -> String {
    let hello = match language {
        Language::En => "Hello",
        Language::Ka => "გამარჯობა",
        Language::Ru => "Здравствуйте",
    };
    match (name, language) {
        ("", _) => format!("{hello},"),
        (name, Language::En) => format!("{hello} {name},"),
        (name, Language::Ka | Language::Ru) => format!("{hello}, {name}!"),
    }
}

/// When a subscription that is not renewed comes to its end. Worded so that it holds before that day
/// and after it: nobody knows when a notice is read.
fn ending(renewal: Timestamp, language: Language) -> String {
    let until = day::until(day::of(renewal), language);
    match language {
        Language::En => {
            format!("The subscription is paid {until}. Without a payment it does not go on after that day.")
        }
        Language::Ka => format!("გამოწერა გადახდილია {until} და ახალი გადახდის გარეშე აღარ გაგრძელდება."),
        Language::Ru => format!("Подписка оплачена {until} и без нового платежа не продлится."),
    }
}
