//! Is the file `.env` there, and can only those read and write it who should?

use echodesk_core::{DotEnv, DotEnvState, Environment, Origin};

use super::super::finding::Finding;

/// Nothing where settings were not read from a file.
pub(super) fn check(environment: &Environment) -> Option<Finding> {
    let DotEnv { path, state } = environment.dot_env()?;
    let shown = path.display().to_string();
    let of_file = || environment.names().filter(|name| matches!(environment.origin(name), Some(Origin::DotEnv { .. })));
    let warning = |detail: String, remedy: String| Finding::failed("settings", shown.clone(), detail, remedy).warning();
    Some(match state {
        DotEnvState::Missing => Finding::ok("settings", shown, "not there; all settings are from the environment"),
        DotEnvState::Read { by_everybody, written_by_others } => {
            let secret = of_file().find(|name| *by_everybody && is_secret(environment, name));
            match (secret, written_by_others) {
                (Some(name), false) => {
                    let detail = format!("holds {name}, and every user of this machine can read it");
                    warning(detail, format!("chmod o-r {shown}"))
                }
                (Some(name), true) => {
                    let detail = format!("holds {name}, and every user of this machine can read it; {WRITABLE}");
                    warning(detail, format!("chmod go-w,o-r {shown}"))
                }
                (None, true) => warning(WRITABLE.to_owned(), format!("chmod go-w {shown}")),
                (None, false) => read(shown, of_file().count()),
            }
        }
    })
}

/// Whoever can write to it chooses the database, the bank and the mail server.
const WRITABLE: &str = "others than its owner can write to it, and so decide whom the jobs charge and mail";

fn read(path: String, count: usize) -> Finding {
    let noun = if count == 1 { "setting is" } else { "settings are" };
    Finding::ok("settings", path, format!("read; {count} {noun} from it"))
}

/// Whether a setting is a secret, by its name; an address is one if it holds a password.
fn is_secret(environment: &Environment, name: &str) -> bool {
    const PARTS: [&str; 4] = ["SECRET", "PASSWORD", "TOKEN", "PING_URL"];
    let Some(value) = environment.get(name) else { return false };
    PARTS.iter().any(|part| name.contains(part))
        || value.split_once("://").is_some_and(|(_, rest)| holds_password(rest))
}

/// As `user:password@host`, or as a parameter: `?password=…`, `&sslpassword=…`.
fn holds_password(rest: &str) -> bool {
    const PARTS: [&str; 3] = ["password", "secret", "token"];
    let is_password = |parameter: &str| {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let key = key.to_ascii_lowercase();
        !value.is_empty() && PARTS.iter().any(|part| key.contains(part))
    };
    rest.split_once('@').is_some_and(|(user, _)| user.contains(':'))
        || rest.split_once('?').is_some_and(|(_, parameters)| parameters.split('&').any(is_password))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::check::finding::Verdict;

    #[test]
    fn a_file_that_others_can_write_or_with_secrets_that_everybody_can_read_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let table = [
            ("SECRET_KEY=hunter2\n", 0o644, Verdict::Warning, "holds SECRET_KEY"),
            ("DATABASE_URL=postgres://bob:hunter2@db/x\n", 0o604, Verdict::Warning, "holds DATABASE_URL"),
            ("DATABASE_URL=postgres://bob@db/x\n", 0o644, Verdict::Ok, "1 setting is from it"),
            ("EMAIL_HOST=a:b@c\nDB_PASSWORD=\n", 0o644, Verdict::Ok, "2 settings are from it"),
            ("DATABASE_URL=postgres://bob@db/x?password=hunter2\n", 0o644, Verdict::Warning, "holds DATABASE_URL"),
            (
                "DATABASE_URL=postgres:///x?host=/tmp&SSLPassword=hunter2\n",
                0o644,
                Verdict::Warning,
                "holds DATABASE_URL",
            ),
            ("DATABASE_URL=postgres://db/x?password=&sslmode=require\n", 0o644, Verdict::Ok, "1 setting is from it"),
            ("SECRET_KEY=hunter2\n", 0o640, Verdict::Ok, "1 setting"),
            ("SECRET_KEY=hunter2\n", 0o666, Verdict::Warning, "can read it; others than its owner can write"),
        ];
        for (content, mode, verdict, part) in table {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let found = check(&Environment::load(&path).unwrap()).unwrap();
            assert!(found.verdict == verdict && found.detail.contains(part), "{content}: {found:?}");
            assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
            let change = if mode & 0o022 == 0 { "o-r" } else { "go-w,o-r" };
            let remedy = (verdict == Verdict::Warning).then(|| format!("chmod {change} {}", path.display()));
            assert_eq!(found.remedy, remedy);
        }
        for mode in [0o602, 0o660, 0o664] {
            std::fs::write(&path, "EMAIL_HOST=mail\n").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let found = check(&Environment::load(&path).unwrap()).unwrap();
            assert!(
                found.verdict == Verdict::Warning && found.detail.contains("can write to it"),
                "{mode:o}: {found:?}"
            );
            assert_eq!(found.remedy, Some(format!("chmod go-w {}", path.display())));
        }
        let missing = check(&Environment::load(&folder.path().join("none")).unwrap()).unwrap();
        assert!(missing.verdict == Verdict::Ok && missing.detail.starts_with("not there"), "{missing:?}");
    }
}
