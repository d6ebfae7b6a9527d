//! The only file that reads environment variables and `.env`.
//!
//! Settings come from flags, then from the environment, then from a `.env` file in the working
//! folder: what is set nearer to the call wins. Everything behind this file takes an
//! [`Environment`] as a value, so that no test needs to change the environment of its process.

mod dot_env;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::Secret;

/// The settings a process was started with, by name.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, String>,
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
        let mut environment: Self = read_file(dot_env)?.into_iter().collect();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(environment.values.insert(name, value)),
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
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
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
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self { values: pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect() }
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

/// Nothing, if the file is missing.
fn read_file(path: &Path) -> Result<Vec<(String, String)>, EnvironmentError> {
    let content = match std::fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(EnvironmentError::Unreadable { path: path.to_owned(), source }),
    };
    dot_env::parse(&content).map_err(|line| EnvironmentError::Malformed { path: path.to_owned(), line: line.0 })
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
    fn debug_shows_no_value() {
        let environment: Environment = [("SECRET_KEY", "hunter2")].into_iter().collect();
        assert_eq!(format!("{environment:?}"), r#"{"SECRET_KEY"}"#);
    }
}
