//! The only file that reads environment variables and `.env`.
//!
//! Settings come from flags, then from the environment, then from a `.env` file in the working
//! folder: what is set nearer to the call wins. Everything behind this file takes an
//! [`Environment`] as a value, so that no test needs to change the environment of its process.

mod dot_env;
mod source;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::Secret;
pub use source::{DotEnv, DotEnvState, Origin};

/// The settings a process was started with, by name.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, Value>,
    dot_env: Option<DotEnv>,
}

#[derive(Clone)]
struct Value {
    text: String,
    origin: Origin,
}

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// `.env` is there but cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of `.env` is not `NAME=value`. The line itself is not shown: it may hold a secret.
    #[error("{}, line {line}: expected NAME=value", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from one.
        line: usize,
    },
    /// A variable that is not Unicode text.
    #[error("environment variable {name} is not valid UTF-8")]
    NotUnicode {
        /// Its name, as far as it is readable.
        name: String,
    },
}

impl Environment {
    /// Reads the process environment over the file `dot_env`, which may be missing.
    ///
    /// # Errors
    /// The file is there but unreadable or malformed, or a variable that starts like one of ours is
    /// not Unicode.
    #[expect(clippy::disallowed_methods, reason = "this is the one file that may")]
    pub fn load(dot_env: &Path) -> Result<Self, EnvironmentError> {
        let mut environment = Self::of_file(dot_env)?;
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(text)) => drop(environment.values.insert(name, Value { text, origin: Origin::Process })),
                // Somebody else's variable may hold whatever it likes; one of ours may not.
                (Ok(name), Err(_)) if is_ours(&name) => return Err(EnvironmentError::NotUnicode { name }),
                _ => {}
            }
        }
        Ok(environment)
    }

    /// A setting; an empty value counts as not set, as in a crontab that blanks one out.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str()).filter(|value| !value.is_empty())
    }

    /// A setting that must not be printed.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.get(name).map(Secret::new)
    }

    /// The names that are set, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Where a setting was read, be it empty or not; none if its name is nowhere.
    #[must_use]
    pub fn origin(&self, name: &str) -> Option<Origin> {
        self.values.get(name).map(|value| value.origin)
    }

    /// The file `.env`; none where settings were not [loaded](Self::load) but made of values.
    #[must_use]
    pub fn dot_env(&self) -> Option<&DotEnv> {
        self.dot_env.as_ref()
    }

    /// What the file says, and nothing if it is missing.
    fn of_file(path: &Path) -> Result<Self, EnvironmentError> {
        let (content, dot_env) =
            source::read(path).map_err(|source| EnvironmentError::Unreadable { path: path.to_owned(), source })?;
        let lines = dot_env::parse(&content)
            .map_err(|bad| EnvironmentError::Malformed { path: path.to_owned(), line: bad.0 })?;
        let value =
            |line: dot_env::Line| (line.name, Value { text: line.value, origin: Origin::DotEnv { line: line.number } });
        Ok(Self { values: lines.into_iter().map(value).collect(), dot_env: Some(dot_env) })
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let value = |text: V| Value { text: text.into(), origin: Origin::Process };
        Self { values: pairs.into_iter().map(|(name, text)| (name.into(), value(text))).collect(), dot_env: None }
    }
}

/// Names only: any value may be a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

fn is_ours(name: &str) -> bool {
    const PREFIXES: [&str; 6] = ["ECHODESK_", "DB_", "DATABASE_", "BOG_", "EMAIL_", "AWS_"];
    name == "SECRET_KEY" || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn a_dot_env_file_is_read_and_a_missing_one_is_fine() {
        let (_folder, path) = file("# ours\nECHODESK_TEST_A=\"with space\"\nECHODESK_TEST_B=\n");
        let environment = Environment::load(&path).unwrap();
        assert_eq!(environment.get("ECHODESK_TEST_A"), Some("with space"));
        assert_eq!(environment.get("ECHODESK_TEST_B"), None, "empty is not set");
        Environment::load(Path::new("/nowhere/.env")).unwrap();
    }

    #[test]
    fn the_process_environment_wins_over_the_file() {
        let (_folder, path) = file("PATH=from-the-file\n");
        let environment = Environment::load(&path).unwrap();
        assert_ne!(environment.get("PATH"), Some("from-the-file"));
    }

    #[test]
    fn a_malformed_line_is_named_by_file_and_number_and_its_content_is_not() {
        let (_folder, path) = file("A=x\nhunter2\n");
        let error = Environment::load(&path).unwrap_err().to_string();
        assert!(error.ends_with(".env, line 2: expected NAME=value"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_taken_for_a_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = Environment::load(folder.path()).unwrap_err();
        assert!(matches!(error, EnvironmentError::Unreadable { .. }), "{error:?}");
    }

    #[test]
    fn where_a_setting_comes_from_is_known() {
        let (_folder, path) = file("# ours\nECHODESK_TEST_A=1\n\nECHODESK_TEST_A=2\nPATH=x\n");
        let environment = Environment::load(&path).unwrap();
        assert_eq!(environment.origin("ECHODESK_TEST_A"), Some(Origin::DotEnv { line: 4 }));
        assert_eq!(environment.origin("PATH"), Some(Origin::Process));
        assert_eq!(environment.origin("ECHODESK_TEST_B"), None);
    }

    #[test]
    fn who_may_read_and_write_the_file_is_known() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, path) = file("A=x\n");
        let state = |path: &Path| Environment::load(path).unwrap().dot_env().cloned().unwrap().state;
        for (mode, by_everybody, written_by_others) in [
            (0o600, false, false),
            (0o640, false, false),
            (0o644, true, false),
            (0o602, false, true),
            (0o660, false, true),
            (0o666, true, true),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(state(&path), DotEnvState::Read { by_everybody, written_by_others }, "{mode:o}");
        }
        assert_eq!(state(&folder.path().join("other")), DotEnvState::Missing);
        assert_eq!([("A", "x")].into_iter().collect::<Environment>().dot_env(), None);
    }

    #[test]
    fn debug_shows_no_value() {
        let environment: Environment = [("SECRET_KEY", "hunter2")].into_iter().collect();
        assert_eq!(format!("{environment:?}"), r#"{"SECRET_KEY"}"#);
    }
}
