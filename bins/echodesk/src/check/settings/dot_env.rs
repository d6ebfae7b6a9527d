//! Is the file `.env` there, and can only those read it who should?

use echodesk_core::{DotEnv, DotEnvState, Environment, Origin};

use super::super::finding::Finding;

/// Nothing where settings were not read from a file.
pub(super) fn check(environment: &Environment) -> Option<Finding> {
    let DotEnv { path, state } = environment.dot_env()?;
    let shown = path.display().to_string();
    let of_file = || environment.names().filter(|name| matches!(environment.origin(name), Some(Origin::DotEnv { .. })));
    Some(match state {
        DotEnvState::Missing => Finding::ok("settings", shown, "not there; all settings are from the environment"),
        DotEnvState::Read { by_everybody: true } => match of_file().find(|name| is_secret(environment, name)) {
            Some(name) => {
                let detail = format!("holds {name}, and every user of this machine can read it");
                Finding::failed("settings", shown.clone(), detail, format!("chmod 600 {shown}")).warning()
            }
            None => read(shown, of_file().count()),
        },
        DotEnvState::Read { by_everybody: false } => read(shown, of_file().count()),
    })
}

fn read(path: String, count: usize) -> Finding {
    let noun = if count == 1 { "setting is" } else { "settings are" };
    Finding::ok("settings", path, format!("read; {count} {noun} from it"))
}

/// Whether a setting is a secret, by its name; an address is one if it holds a password.
fn is_secret(environment: &Environment, name: &str) -> bool {
    const PARTS: [&str; 4] = ["SECRET", "PASSWORD", "TOKEN", "PING_URL"];
    let Some(value) = environment.get(name) else { return false };
    let user = value.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    PARTS.iter().any(|part| name.contains(part)) || user.is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::check::finding::Verdict;

    #[test]
    fn a_file_with_secrets_that_everybody_can_read_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let table = [
            ("SECRET_KEY=hunter2\n", 0o644, Verdict::Warning, "holds SECRET_KEY"),
            ("DATABASE_URL=postgres://bob:hunter2@db/x\n", 0o604, Verdict::Warning, "holds DATABASE_URL"),
            ("DATABASE_URL=postgres://bob@db/x\n", 0o644, Verdict::Ok, "1 setting is from it"),
            ("EMAIL_HOST=a:b@c\nDB_PASSWORD=\n", 0o644, Verdict::Ok, "2 settings are from it"),
            ("SECRET_KEY=hunter2\n", 0o640, Verdict::Ok, "1 setting"),
        ];
        for (content, mode, verdict, part) in table {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let found = check(&Environment::load(&path).unwrap()).unwrap();
            assert!(found.verdict == verdict && found.detail.contains(part), "{content}: {found:?}");
            assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
            let remedy = (verdict == Verdict::Warning).then(|| format!("chmod 600 {}", path.display()));
            assert_eq!(found.remedy, remedy);
        }
        let missing = check(&Environment::load(&folder.path().join("none")).unwrap()).unwrap();
        assert!(missing.verdict == Verdict::Ok && missing.detail.starts_with("not there"), "{missing:?}");
    }
}
