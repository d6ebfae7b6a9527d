//! Can notices be delivered? The mail server is logged in to, and no mail is sent.

mod probe;
mod wrong;

use echodesk_job::{NoticeSettings, Settings, SettingsError, one_line};
use echodesk_notify::EmailSettings;

use super::far::Reach;
use super::finding::Finding;
use crate::command::World;

const REMEDY: &str = "correct it; `echodesk send-test-email ADDRESS` tries it out";
const TEXTS_REMEDY: &str =
    "correct it, or unset ECHODESK_NOTICE_TEMPLATES; `echodesk notices preview KIND` shows a text";
const NOT_SET: &str = "set EMAIL_HOST and DEFAULT_FROM_EMAIL, as EchoDesk has them; until then notices wait, and \
                       subscription-status does not run";

/// `has_database` says whether the embedded database is there, without which there is no folder yet for its mails.
pub(super) fn check(world: &World, reach: &Reach, has_database: bool) -> Vec<Finding> {
    // A time zone that there is not has been told of.
    let environment = world.settings.environment_with("ECHODESK_TIME_ZONE", Some("UTC"));
    let settings = Settings { environment, database: world.settings.database.clone() };
    let read = NoticeSettings::read(&settings);
    // What carries mails opens the file of certificate authorities.
    match read.and_then(|notices| notices.carrier(&world.terminal).map(|_| notices)) {
        Ok(notices) => vec![found(&notices, &settings, reach, has_database)],
        Err(error) => wrong::all(error, &settings, world).iter().map(failed).collect(),
    }
}

/// The mail server itself can only be tried once all settings can be used.
fn failed(error: &SettingsError) -> Finding {
    Finding::failed("email", "", one_line(error), remedy(error))
}

fn remedy(error: &SettingsError) -> &'static str {
    match error {
        SettingsError::Wrong { name: "ECHODESK_NOTICE_TEMPLATES", .. } => TEXTS_REMEDY,
        _ => REMEDY,
    }
}

fn found(notices: &NoticeSettings, settings: &Settings, reach: &Reach, has_database: bool) -> Finding {
    let Some(email) = &notices.email else {
        return Finding::failed("email", "", "not set up", NOT_SET).warning();
    };
    let way = &email.way;
    let tried = if reach.offline || (notices.is_default && !has_database) {
        Ok("; nothing was tried".to_owned())
    } else {
        probe::probe(way, reach)
    };
    match tried {
        Ok(_) if notices.is_default => {
            Finding::ok("email", "", format!("not set up: with the embedded database notices go to the {way}"))
        }
        Ok(tried) => Finding::ok("email", "", format!("{way} set, {}{tried}", details(email, settings))),
        Err((problem, remedy)) => Finding::failed("email", way.to_string(), problem, remedy),
    }
}

fn details(email: &EmailSettings, settings: &Settings) -> String {
    let templates = settings.environment.get("ECHODESK_NOTICE_TEMPLATES");
    let texts = templates.map(|folder| format!(", texts from {folder}")).unwrap_or_default();
    format!("from {}{texts}", email.from.address())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use echodesk_core::{Clock, ManualClock};
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
        findings(pairs).remove(0)
    }

    #[test]
    fn all_settings_that_are_wrong_are_told_at_once() {
        let from = ("DEFAULT_FROM_EMAIL", "a@b.example");
        let told = |pairs: &[(&str, &str)]| -> Vec<String> {
            let line = |found: Finding| found.detail.split(' ').next().unwrap_or_default().to_owned();
            findings(pairs).into_iter().map(line).collect()
        };
        let several = [
            ("EMAIL_HOST", "smtp://mx.example"),
            ("EMAIL_PORT", "x"),
            ("EMAIL_TIMEOUT", "soon"),
            ("EMAIL_USE_TLS", "perhaps"),
            ("EMAIL_HOST_USER", "mailer"),
            ("EMAIL_HOST_PASSWORD", "hunter2"),
            ("ECHODESK_CA_FILE", "/nowhere.pem"),
        ];
        assert_eq!(
            told(&several),
            ["DEFAULT_FROM_EMAIL", "EMAIL_HOST", "EMAIL_USE_TLS", "EMAIL_PORT", "EMAIL_TIMEOUT", "ECHODESK_CA_FILE"],
            "and nothing of a password that TLS was to keep"
        );
        let clear = [from, ("EMAIL_HOST", "mx.example"), ("EMAIL_HOST_USER", "u"), ("EMAIL_HOST_PASSWORD", "hunter2")];
        assert_eq!(told(&[&clear[..], &[("EMAIL_TIMEOUT", "0")]].concat()), ["EMAIL_HOST_PASSWORD", "EMAIL_TIMEOUT"]);
        assert_eq!(told(&[from, ("EMAIL_BACKEND", "pigeon"), ("EMAIL_PORT", "x")]), ["EMAIL_BACKEND"]);
    }

    fn findings(pairs: &[(&str, &str)]) -> Vec<Finding> {
        let settings = Settings::new(&GlobalArgs::default(), pairs.iter().copied().collect()).unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
        let reach = Reach { offline: true, clock: Arc::clone(&clock) as Arc<dyn Clock> };
        let world = World { settings, clock, terminal: Terminal::new(Box::new(std::io::sink()), false) };
        check(&world, &reach, false)
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
