//! A mailbox was switched off.

use echodesk_core::Language;

use super::greeting;
use crate::Rendered;

pub(crate) fn render(name: &str, address: &str, reason: &str, language: Language) -> Rendered {
    let greeting = greeting(name, language);
    let (subject, text) = match language {
        Language::En => (
            format!("Mailbox {address} was switched off"),
            format!(
                "{greeting}\n\nEchoDesk can no longer read the mailbox {address}, so it was switched off. \
                 New mail does not reach your help desk until it is switched on again.\n\n\
                 What the mail server said: {reason}\n\n\
                 What to do: check the password and the server settings of this mailbox in EchoDesk \
                 and switch it on again. Mail that arrives meanwhile stays on the server and is read then.\n"
            ),
        ),
        Language::Ka => (
            format!("საფოსტო ყუთი {address} გამოირთო"),
            format!(
                "{greeting}\n\nEchoDesk ვეღარ კითხულობს საფოსტო ყუთს {address}, ამიტომ ის გამოირთო. \
                 ახალი წერილები არ მოვა, სანამ მას ხელახლა არ ჩართავთ.\n\n\
                 საფოსტო სერვერის პასუხი: {reason}\n\n\
                 რა უნდა გააკეთოთ: შეამოწმეთ ამ საფოსტო ყუთის პაროლი და სერვერის პარამეტრები EchoDesk-ში \
                 და ხელახლა ჩართეთ. ამ დროში მოსული წერილები სერვერზე რჩება და მერე წაიკითხება.\n"
            ),
        ),
        Language::Ru => (
            format!("Почтовый ящик {address} отключён"),
            format!(
                "{greeting}\n\nEchoDesk больше не может читать почтовый ящик {address}, поэтому он отключён. \
                 Новые письма не будут поступать, пока вы не включите его снова.\n\n\
                 Ответ почтового сервера: {reason}\n\n\
                 Что делать: проверьте пароль и настройки сервера этого ящика в EchoDesk и включите его снова. \
                 Письма, пришедшие за это время, остаются на сервере и будут прочитаны потом.\n"
            ),
        ),
    };
    Rendered { subject, text }
}
