//! `echodesk send-test-email`.

use echodesk_core::{Language, NoticeId, SchemaNameError, Tenant, TenantId};
use echodesk_job::{JobError, NoticeSettings, SettingsError};
use echodesk_notify::ports::{Queued, Session as _, Situation, Transport};
use echodesk_notify::{Mail, Rendered, message};
use jiff::Timestamp;

use crate::answer::Answer;
use crate::cli::SendTestEmailArgs;
use crate::command::World;
use crate::error::CommandError;

/// Needs no database: what is tried is the way out.
pub(crate) fn send_test(world: &World, args: &SendTestEmailArgs) -> Result<Answer, CommandError> {
    let settings = NoticeSettings::read(&world.settings)?;
    let email = settings.email()?;
    let carrier = settings.carrier(&world.terminal)?;
    let (carrier, sender) = carrier.ok_or_else(|| SettingsError::missing("EMAIL_HOST", "set the mail server"))?;
    let now = world.clock.now();
    let language = args.language.into();
    let mail = message(&test_notice(&args.to, language, now)?, &words(language), &sender, now)
        .map_err(|error| SettingsError::wrong("ADDRESS", error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| JobError::System { what: "start threads", source })?;
    let sent = runtime.block_on(send(&carrier, &mail));
    // A name server that does not answer must not keep a finished process alive.
    runtime.shutdown_background();
    Ok(answer(&email.way, &mail, sent))
}

/// What was not taken, in the words of whoever refused.
async fn send(transport: &impl Transport, mail: &Mail) -> Result<(), String> {
    let mut session = transport.connect().await.map_err(|down| down.to_string())?;
    session.send(mail).await.map_err(|error| error.to_string())?;
    session.quit().await;
    Ok(())
}

fn answer(way: &impl std::fmt::Display, mail: &Mail, sent: Result<(), String>) -> Answer {
    let Mail { from, to, message_id, .. } = mail;
    let text = match &sent {
        Ok(()) => format!("{way}: took the mail from {from} to {to}\nMessage-ID: {message_id}\n"),
        Err(why) => {
            let why = why.replace(|c: char| c.is_control(), " ");
            format!("{way}: did not take the mail from {from} to {to}: {why}\n")
        }
    };
    Answer::done(text).failed_if(sent.is_err())
}

/// Stands for a notice of a tenant. Each test is a mail of its own, and so has a Message-ID of its own.
fn test_notice(to: &str, language: Language, now: Timestamp) -> Result<Queued, SettingsError> {
    // Only the Message-ID is made of it.
    let schema =
        "echodesk-test".parse().map_err(|error: SchemaNameError| SettingsError::wrong("a test mail", error))?;
    let tenant = Tenant {
        id: TenantId(0),
        schema,
        name: String::new(),
        admin_email: to.to_owned(),
        admin_name: String::new(),
        language,
        is_active: true,
    };
    Ok(Queued {
        id: NoticeId(0),
        tenant,
        sign_in_url: None,
        kind: Err("a test".to_owned()),
        code: "test".to_owned(),
        subject_key: "send-test-email".to_owned(),
        period: now.to_string(),
        decided_at: now,
        attempts: 0,
        situation: Situation::default(),
    })
}

/// Subject and body in a language.
fn words(language: Language) -> Rendered {
    let (subject, body) = match language {
        Language::En => (
            "Test mail from EchoDesk",
            "This mail was sent to see whether EchoDesk's notices arrive. They do. There is nothing to be done.",
        ),
        Language::Ka => (
            "EchoDesk-ის სატესტო წერილი",
            "ეს წერილი გაიგზავნა იმის შესამოწმებლად, აღწევს თუ არა EchoDesk-ის შეტყობინებები. აღწევს. თქვენგან არაფერია საჭირო.",
        ),
        Language::Ru => (
            "Тестовое письмо EchoDesk",
            "Это письмо отправлено, чтобы проверить, доходят ли уведомления EchoDesk. Доходят. Ничего делать не нужно.",
        ),
    };
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"color-scheme\" \
         content=\"light dark\">\n<title>{subject}</title>\n</head>\n<body>\n<p>{body}</p>\n</body>\n</html>\n",
        language.code()
    );
    Rendered { subject: subject.to_owned(), text: format!("{body}\n"), html }
}

#[cfg(test)]
mod tests {
    use echodesk_job::ExitStatus;
    use echodesk_notify::Sender;

    use super::*;

    fn mail(language: Language, at: &str) -> Mail {
        let (now, sender) = (at.parse().unwrap(), Sender::parse("EchoDesk <noreply@echodesk.example>").unwrap());
        message(&test_notice("ops@acme.example", language, now).unwrap(), &words(language), &sender, now).unwrap()
    }

    #[test]
    fn each_test_is_a_mail_of_its_own() {
        let first = mail(Language::En, "2026-11-22T10:00:00Z");
        assert_ne!(first.message_id, mail(Language::En, "2026-11-22T10:00:01Z").message_id);
        assert_eq!((first.to.as_str(), first.from.as_str()), ("ops@acme.example", "noreply@echodesk.example"));
    }

    #[test]
    fn a_test_has_the_headers_of_a_notice_and_both_bodies() {
        for language in [Language::En, Language::Ka, Language::Ru] {
            let text = String::from_utf8(mail(language, "2026-11-22T10:00:00Z").bytes).unwrap();
            for header in ["Auto-Submitted: auto-generated", "multipart/alternative", "text/plain", "text/html"] {
                assert!(text.contains(header), "{header}: {text}");
            }
            assert!(text.contains(&format!("Content-Language: {}", language.code())), "{text}");
        }
    }

    #[test]
    fn what_the_server_said_is_told_on_one_line() {
        let mail = mail(Language::En, "2026-11-22T10:00:00Z");
        let taken = answer(&"mail server mx:25", &mail, Ok(()));
        assert!(taken.text.starts_with("mail server mx:25: took the mail from noreply@"), "{}", taken.text);
        assert_eq!(taken.status, ExitStatus::Done);
        let refused = answer(&"mail server mx:25", &mail, Err("550 5.7.1\r\nno relay".to_owned()));
        assert!(refused.text.ends_with("ops@acme.example: 550 5.7.1  no relay\n"), "{}", refused.text);
        assert_eq!(refused.status, ExitStatus::DoneWithFailures);
    }
}
