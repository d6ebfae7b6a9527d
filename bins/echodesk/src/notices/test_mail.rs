//! `echodesk send-test-email`.

use echodesk_core::{Language, NoticeId, Tenant, TenantId};
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
    let mail = message(&test_notice(&args.to, language, now), &words(language), &sender, now)
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
fn test_notice(to: &str, language: Language, now: Timestamp) -> Queued {
    let tenant = Tenant {
        id: TenantId(0),
        // Only the Message-ID is made of it.
        schema: TEST_SCHEMA.clone(),
        name: String::new(),
        admin_email: to.to_owned(),
        admin_name: String::new(),
        language,
        is_active: true,
    };
    Queued {
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
    }
}
