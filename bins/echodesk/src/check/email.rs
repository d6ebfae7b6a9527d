//! Can notices be delivered? Settings and templates are read; nobody is connected to.

use echodesk_job::{NoticeSettings, Settings, SettingsError, one_line};

use super::finding::Finding;
use crate::command::World;

const REMEDY: &str = "correct it; `echodesk send-test-email ADDRESS` tries it out";
const TEXTS_REMEDY: &str =
    "correct it, or unset ECHODESK_NOTICE_TEMPLATES; `echodesk notices preview KIND` shows a text";
const NOT_SET: &str = "set EMAIL_HOST and DEFAULT_FROM_EMAIL, as EchoDesk has them; until then notices wait, and \
                       subscription-status does not run";

pub(super) fn check(world: &World) -> Finding {
    let read = NoticeSettings::read(&world.settings);
    // What carries mails opens the file of certificate authorities.
    match read.and_then(|settings| settings.carrier(&world.terminal).map(|_| settings)) {
        Ok(settings) => found(&settings, &world.settings),
        Err(error) => Finding::failed("email", "", one_line(&error), remedy(&error)),
    }
}

fn remedy(error: &SettingsError) -> &'static str {
    match error {
        SettingsError::Wrong { name: "ECHODESK_NOTICE_TEMPLATES", .. } => TEXTS_REMEDY,
        _ => REMEDY,
    }
}

fn found(notices: &NoticeSettings, settings: &Settings) -> Finding {
    let Some(email) = &notices.email else {
        return Finding::failed("email", "", "not set up", NOT_SET).warning();
    };
    let from = email.from.address();
    if notices.is_default {
        let detail = format!("not set up: with the embedded database notices go to the {}", email.way);
        return Finding::ok("email", "", detail);
    }
    let templates = settings.environment.get("ECHODESK_NOTICE_TEMPLATES");
    let texts = templates.map(|folder| format!(", texts from {folder}")).unwrap_or_default();
    Finding::ok("email", "", format!("{} set, from {from}{texts}; nothing was sent", email.way))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use echodesk_core::ManualClock;
    use echodesk_job::GlobalArgs;
    use echodesk_job::terminal::Terminal;

    use super::*;
    use crate::check::finding::Verdict;

    /// Settings, and what is told of them.
    type Case<'a> = (&'a [(&'a str, &'a str)], Verdict, &'a str);

    fn checked(pairs: &[(&str, &str)]) -> (Verdict, String) {
        let Finding { verdict, detail, .. } = finding(pairs);
        (verdict, detail)
    }

    fn finding(pairs: &[(&str, &str)]) -> Finding {
        let settings = Settings::new(&GlobalArgs::default(), pairs.iter().copied().collect()).unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
        let world = World { settings, clock, terminal: Terminal::new(Box::new(std::io::sink()), false) };
        check(&world)
    }

    #[test]
    fn it_is_told_how_notices_go_or_why_they_cannot() {
        let postgres = ("DATABASE_URL", "postgres://db/echodesk");
        let (host, from) =
            (("EMAIL_HOST", "mx.example"), ("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>"));
        let table: [Case; 6] = [
            (&[], Verdict::Ok, "folder echodesk-data/notices"),
            (&[postgres], Verdict::Warning, "not set up"),
            (&[postgres, host, from], Verdict::Ok, "mail server mx.example:25 set, from noreply@echodesk.example"),
            (&[postgres, host], Verdict::Failed, "DEFAULT_FROM_EMAIL"),
            (&[host, from, ("EMAIL_PORT", "x")], Verdict::Failed, "EMAIL_PORT"),
            (&[host, from, ("ECHODESK_CA_FILE", "/nowhere.pem")], Verdict::Failed, "ECHODESK_CA_FILE"),
        ];
        for (pairs, verdict, part) in table {
            let told = checked(pairs);
            assert!(told.0 == verdict && told.1.contains(part), "{pairs:?}: {told:?}");
        }
    }

    #[test]
    fn a_mistake_in_a_text_has_another_remedy_than_one_in_a_setting() {
        let templates = finding(&[("ECHODESK_NOTICE_TEMPLATES", "/nowhere/at-all")]);
        assert!(templates.remedy.is_some_and(|remedy| remedy.contains("notices preview")));
        let setting = finding(&[("EMAIL_PORT", "x")]);
        assert!(setting.remedy.is_some_and(|remedy| remedy.contains("send-test-email")));
    }

    #[test]
    fn a_password_is_not_shown() {
        let pairs = [
            ("EMAIL_HOST", "localhost"),
            ("DEFAULT_FROM_EMAIL", "noreply@echodesk.example"),
            ("EMAIL_HOST_USER", "mailer"),
            ("EMAIL_HOST_PASSWORD", "hunter2"),
        ];
        let told = checked(&pairs);
        assert!(told.0 == Verdict::Ok && !told.1.contains("hunter2"), "{told:?}");
    }
}
