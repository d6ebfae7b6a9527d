use super::*;

const FROM: (&str, &str) = ("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.ge>");

fn read(pairs: &[(&str, &str)]) -> Result<Option<EmailSettings>, EmailSettingsError> {
    let environment: Environment = pairs.iter().copied().chain([FROM]).collect();
    EmailSettings::from_environment(&environment)
}

fn smtp(pairs: &[(&str, &str)]) -> SmtpSettings {
    match read(pairs).unwrap().unwrap().way {
        Way::Smtp(smtp) => smtp,
        way => panic!("{way:?}"),
    }
}

#[test]
fn mail_is_not_set_up_until_it_is() {
    assert!(read(&[]).unwrap().is_none(), "a sender alone sends nothing");
    assert!(read(&[("EMAIL_HOST", ""), ("EMAIL_BACKEND", "")]).unwrap().is_none());
    // As with Django, which has defaults for the rest.
    for (name, value, shown) in [
        ("EMAIL_PORT", "2525", "mail server localhost:2525"),
        ("EMAIL_TIMEOUT", "5", "mail server localhost:25"),
        ("EMAIL_USE_TLS", "True", "mail server localhost:25"),
        ("EMAIL_HOST_PASSWORD", "hunter2", "mail server localhost:25"),
    ] {
        assert_eq!(read(&[(name, value)]).unwrap().unwrap().way.to_string(), shown, "{name}");
    }
}

#[test]
fn backends_have_our_names_and_djangos() {
    for (backend, shown) in [
        ("smtp", "mail server localhost:25"),
        ("django.core.mail.backends.smtp.EmailBackend", "mail server localhost:25"),
        ("file", "folder /var/mails"),
        ("django.core.mail.backends.filebased.EmailBackend", "folder /var/mails"),
        ("console", "console"),
        ("django.core.mail.backends.console.EmailBackend", "console"),
    ] {
        let settings = read(&[("EMAIL_BACKEND", backend), ("EMAIL_FILE_PATH", "/var/mails")]).unwrap().unwrap();
        assert_eq!(settings.way.to_string(), shown, "{backend}");
    }
    assert_eq!(smtp(&[("EMAIL_HOST", "mail.acme.example")]).host, "mail.acme.example");
}

#[test]
fn what_cannot_be_used_says_which_setting_and_what_to_do() {
    let smtp = ("EMAIL_BACKEND", "smtp");
    for (pairs, name, words) in [
        (vec![("EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")], "EMAIL_BACKEND", "use console"),
        (vec![("EMAIL_BACKEND", "dummy")], "EMAIL_BACKEND", "use console"),
        (vec![("EMAIL_BACKEND", "anymail.backends.x.EmailBackend")], "EMAIL_BACKEND", "smtp, file or console"),
        (vec![("EMAIL_BACKEND", "file")], "EMAIL_FILE_PATH", "folder"),
        (vec![("EMAIL_FILE_PATH", "/var/mails")], "EMAIL_FILE_PATH", "EMAIL_BACKEND=file"),
        (vec![("EMAIL_HOST", "smtp://mx.example")], "EMAIL_HOST", "name alone"),
        (vec![("EMAIL_HOST", "mx.example:2525")], "EMAIL_HOST", "EMAIL_PORT=2525"),
        (vec![smtp, ("EMAIL_PORT", "0")], "EMAIL_PORT", "not a port"),
        (vec![smtp, ("EMAIL_PORT", "smtp")], "EMAIL_PORT", "not a port"),
        (vec![smtp, ("EMAIL_USE_TLS", "maybe")], "EMAIL_USE_TLS", "True"),
        (vec![smtp, ("EMAIL_USE_TLS", "1"), ("EMAIL_USE_SSL", "1")], "EMAIL_USE_SSL", "exclude"),
        (vec![smtp, ("EMAIL_TIMEOUT", "-1")], "EMAIL_TIMEOUT", "seconds"),
        (vec![smtp, ("EMAIL_TIMEOUT", "0")], "EMAIL_TIMEOUT", "seconds"),
        (vec![smtp, ("EMAIL_HOST_USER", "u")], "EMAIL_HOST_PASSWORD", "needed"),
        (
            vec![("EMAIL_HOST", "mail.acme.example"), ("EMAIL_HOST_USER", "u"), ("EMAIL_HOST_PASSWORD", "p")],
            "EMAIL_HOST_PASSWORD",
            "in the clear",
        ),
    ] {
        let error = read(&pairs).unwrap_err();
        assert!(error.name == name && error.problem.contains(words), "{pairs:?}: {error}");
    }
}

#[test]
fn the_sender_must_be_said() {
    for (value, words) in [
        (None, "say whom"),
        (Some("webmaster@localhost"), "placeholder"),
        (Some("EchoDesk"), "not a valid mail address"),
    ] {
        let pairs = [("EMAIL_BACKEND", "console")].into_iter().chain(value.map(|value| ("DEFAULT_FROM_EMAIL", value)));
        let error = EmailSettings::from_environment(&pairs.collect()).unwrap_err();
        assert!(error.name == "DEFAULT_FROM_EMAIL" && error.problem.contains(words), "{error}");
    }
}

#[test]
fn security_port_and_limits_are_read_as_django_reads_them() {
    for (tls, ssl, expected) in [
        ("", "", SmtpSecurity::None),
        ("False", "no", SmtpSecurity::None),
        ("True", "0", SmtpSecurity::StartTls),
        ("yes", "off", SmtpSecurity::StartTls),
        ("false", "ON", SmtpSecurity::Tls),
    ] {
        let read = smtp(&[("EMAIL_HOST", "h"), ("EMAIL_USE_TLS", tls), ("EMAIL_USE_SSL", ssl)]);
        assert_eq!((read.security, read.port), (expected, 25), "{tls} {ssl}");
    }
    let read = smtp(&[("EMAIL_HOST", "h"), ("EMAIL_PORT", "587"), ("EMAIL_TIMEOUT", "2.5")]);
    let limit = Duration::from_millis(2500);
    let limits = SmtpLimits { connect: limit, command: limit, message: Duration::from_mins(10) };
    assert_eq!((read.port, read.limits), (587, limits), "an answer to a mail is waited for all the same");
}

#[test]
fn a_password_crosses_no_network_in_the_clear_and_is_never_shown() {
    let user = [("EMAIL_HOST_USER", "jobs"), ("EMAIL_HOST_PASSWORD", "hunter2")];
    for host in ["localhost", "127.0.0.1", "[::1]", "::1"] {
        let settings = smtp(&[&[("EMAIL_HOST", host)], user.as_slice()].concat());
        assert_eq!(settings.credentials.as_ref().unwrap().password.expose(), "hunter2");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
    for security in ["EMAIL_USE_TLS", "EMAIL_USE_SSL"] {
        let pairs = [&[("EMAIL_HOST", "mail.acme.example"), (security, "True")], user.as_slice()].concat();
        assert!(smtp(&pairs).credentials.is_some());
    }
    let shown = read(&[&[("EMAIL_HOST", "mail.acme.example")], user.as_slice()].concat()).unwrap_err().to_string();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(smtp(&[("EMAIL_HOST", "h"), ("EMAIL_HOST_PASSWORD", "hunter2")]).credentials.is_none());
}

#[test]
fn a_file_of_authorities_that_cannot_be_used_is_named() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    for (path, words) in [("/nowhere/ca.pem", "cannot read"), (empty.path().to_str().unwrap(), "holds no certificate")]
    {
        let settings = read(&[("EMAIL_HOST", "h"), ("ECHODESK_CA_FILE", path)]).unwrap().unwrap();
        let error = settings.carrier(Box::new(std::io::sink())).unwrap_err();
        assert!(error.name == "ECHODESK_CA_FILE" && error.problem.contains(words), "{error}");
    }
}

#[test]
fn an_embedded_installation_keeps_mails_in_a_folder() {
    let settings = EmailSettings::file(Path::new("mails"), Sender::parse(FROM.1).unwrap());
    assert!(matches!(settings.carrier(Box::new(std::io::sink())).unwrap(), Carrier::Folder(_)));
}
