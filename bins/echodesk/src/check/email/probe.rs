//! Trying the way that mails go, without a mail.

use std::time::Duration;

use echodesk_notify::settings::{SmtpSecurity, SmtpSettings, Way};
use echodesk_notify::transport::{Folder, SmtpLimits, SmtpObstacle, SmtpTransport};

use super::super::far::{Reach, STEP};
use super::super::remedy;

/// What was found, to be put behind the settings; or what is wrong, and what to do about it.
pub(super) fn probe(way: &Way, reach: &Reach) -> Result<String, (String, String)> {
    match way {
        Way::Smtp(smtp) => probe_server(smtp, reach),
        Way::File(path) => Folder::new(path).probe().map(|()| "; can be written to".to_owned()).map_err(|error| {
            (error.to_string(), "give this user the right to write there, or set EMAIL_FILE_PATH elsewhere".to_owned())
        }),
        Way::Console => Ok("; mails are only shown, and count as sent".to_owned()),
    }
}

fn probe_server(smtp: &SmtpSettings, reach: &Reach) -> Result<String, (String, String)> {
    let limits = SmtpLimits::answering_within(longest(smtp.limits));
    let server = SmtpTransport::new(SmtpSettings { limits, ..smtp.clone() })
        .map_err(|error| (error.to_string(), remedy::CA_FILE.to_owned()))?;
    match reach.wait_for(server.probe()) {
        Ok((Ok(()), took)) => {
            let logged_in = if smtp.credentials.is_some() { "logged in" } else { "connected, without a log-in" };
            let way = match smtp.security {
                SmtpSecurity::None => "without TLS",
                SmtpSecurity::StartTls => "over STARTTLS",
                SmtpSecurity::Tls => "over TLS",
            };
            Ok(format!("; {logged_in} {way}, {took:.1} s; no mail was sent"))
        }
        Ok((Err(error), _)) => Err((error.why, advice(error.obstacle, smtp))),
        Err(late) => Err((late, remedy::WAY_OUT.to_owned())),
    }
}

/// Whoever has set less is not made to wait for longer.
fn longest(set: SmtpLimits) -> Duration {
    set.connect.min(set.command).min(STEP)
}

fn advice(obstacle: SmtpObstacle, smtp: &SmtpSettings) -> String {
    let SmtpSettings { host, port, security, .. } = smtp;
    match obstacle {
        SmtpObstacle::Resolve => remedy::name_of(host, "EMAIL_HOST"),
        SmtpObstacle::Connect => format!(
            "is {port} its port (EMAIL_PORT: 587 with EMAIL_USE_TLS, 465 with EMAIL_USE_SSL)? Many providers of \
             machines block 25, 465 and 587 until they are asked"
        ),
        SmtpObstacle::Tls if *security == SmtpSecurity::Tls && *port != 465 => format!(
            "if port {port} begins without TLS set EMAIL_USE_TLS=True in place of EMAIL_USE_SSL; an authority of your \
             own belongs into ECHODESK_CA_FILE"
        ),
        SmtpObstacle::Tls => format!(
            "EMAIL_HOST must be a name in the certificate of {host}; an authority of your own belongs into \
             ECHODESK_CA_FILE"
        ),
        SmtpObstacle::NoStartTls => {
            "use the port that offers STARTTLS (EMAIL_PORT=587), or EMAIL_USE_SSL=True with EMAIL_PORT=465".to_owned()
        }
        // A server that speaks TLS from the first byte waits for us to begin, and we for its greeting.
        SmtpObstacle::Greeting if *security != SmtpSecurity::Tls => format!(
            "if port {port} speaks TLS from the first byte, as 465 does, set EMAIL_USE_SSL=True; else ask whoever \
             runs {host}"
        ),
        SmtpObstacle::LogIn => "check EMAIL_HOST_USER and EMAIL_HOST_PASSWORD; many providers want an app password or \
                                an API key"
            .to_owned(),
        _ => format!("is {host}:{port} really a mail server, and does it know this machine?"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use echodesk_core::SystemClock;

    use super::*;

    fn smtp(port: u16, security: SmtpSecurity) -> SmtpSettings {
        let host = "mx.example".to_owned();
        SmtpSettings { host, port, security, credentials: None, ca_file: None, limits: SmtpLimits::default() }
    }

    #[test]
    fn each_obstacle_has_its_own_advice() {
        use SmtpSecurity::{None, StartTls, Tls};
        let table = [
            (SmtpObstacle::Resolve, 25, None, "is mx.example spelled right in EMAIL_HOST"),
            (SmtpObstacle::Connect, 25, None, "is 25 its port"),
            (SmtpObstacle::Tls, 587, Tls, "set EMAIL_USE_TLS=True in place of EMAIL_USE_SSL"),
            (SmtpObstacle::Tls, 465, Tls, "ECHODESK_CA_FILE"),
            (SmtpObstacle::Tls, 587, StartTls, "a name in the certificate of mx.example"),
            (SmtpObstacle::NoStartTls, 25, StartTls, "EMAIL_PORT=587"),
            (SmtpObstacle::Greeting, 465, StartTls, "set EMAIL_USE_SSL=True"),
            (SmtpObstacle::Greeting, 465, Tls, "is mx.example:465 really a mail server"),
            (SmtpObstacle::LogIn, 587, StartTls, "app password"),
        ];
        for (obstacle, port, security, part) in table {
            let advice = advice(obstacle, &smtp(port, security));
            assert!(advice.contains(part), "{obstacle:?} {port}: {advice}");
        }
    }

    #[test]
    fn a_folder_must_be_one_that_can_be_written_to() {
        let reach = Reach { offline: false, clock: Arc::new(SystemClock::new()) };
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(probe(&Way::File(folder.path().to_owned()), &reach), Ok("; can be written to".to_owned()));
        let (problem, remedy) = probe(&Way::File("/dev/null/mails".into()), &reach).unwrap_err();
        assert!(problem.contains("/dev/null/mails") && remedy.contains("EMAIL_FILE_PATH"), "{problem}: {remedy}");
    }

    #[test]
    fn nobody_is_waited_for_longer_than_was_set() {
        let set = |seconds| SmtpLimits::answering_within(Duration::from_secs(seconds));
        assert_eq!((longest(set(3)), longest(set(60))), (Duration::from_secs(3), STEP));
    }
}
