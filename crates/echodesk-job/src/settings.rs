//! Settings: flags, then environment, then `.env` in the working folder; what is nearer to the
//! call wins.

pub mod names;

use std::error::Error;

use echodesk_core::{DatabaseUrl, DatabaseUrlError, Environment};

use crate::args::GlobalArgs;

/// A setting is missing or wrong. Never shows a value: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The database URL cannot be used.
    #[error("{origin}")]
    Database {
        /// `--database-url`, or `DATABASE_URL` and its like.
        origin: &'static str,
        /// What is wrong with it.
        source: DatabaseUrlError,
    },
    /// Settings that are needed here are not set.
    #[error("{} {} not set: {remedy}", names.join(" and "), if names.len() == 1 { "is" } else { "are" })]
    Missing {
        /// The settings.
        names: Vec<&'static str>,
        /// What to set it to.
        remedy: String,
    },
    /// A setting cannot be used.
    #[error("{name} cannot be used")]
    Wrong {
        /// The flag or the environment variable.
        name: &'static str,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl SettingsError {
    /// A setting that is not there.
    #[must_use]
    pub fn missing(name: &'static str, remedy: impl Into<String>) -> Self {
        Self::all_missing(vec![name], remedy)
    }

    /// Settings that are not there, told at once so that nobody has to find them out one by one.
    #[must_use]
    pub fn all_missing(names: Vec<&'static str>, remedy: impl Into<String>) -> Self {
        Self::Missing { names, remedy: remedy.into() }
    }

    /// A setting that is there and cannot be used.
    #[must_use]
    pub fn wrong(name: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Wrong { name, source: source.into() }
    }
}

/// What flags, environment and `.env` say together.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The environment over `.env`.
    pub environment: Environment,
    /// The database.
    pub database: DatabaseUrl,
}

impl Settings {
    /// Puts the flags over the environment.
    ///
    /// # Errors
    /// The database URL cannot be used.
    pub fn new(args: &GlobalArgs, environment: Environment) -> Result<Self, SettingsError> {
        let (origin, database) = match &args.database_url {
            Some(url) => ("--database-url", url.parse()),
            None => ("DATABASE_URL or DB_… of the environment", DatabaseUrl::from_environment(&environment)),
        };
        let database = database.map_err(|source| SettingsError::Database { origin, source })?;
        if args.database_url.is_none() && environment.get("DATABASE_URL").is_some() {
            warn_of_another(&environment, &database);
        }
        Ok(Self { environment, database })
    }

    /// The environment as it would be if `variable` were set to `value`: how a flag reaches code
    /// that reads its settings from the environment.
    #[must_use]
    pub fn environment_with(&self, variable: &str, value: Option<&str>) -> Environment {
        let Some(value) = value else { return self.environment.clone() };
        let others = self.environment.names().filter(|name| *name != variable);
        others.filter_map(|name| Some((name, self.environment.get(name)?))).chain([(variable, value)]).collect()
    }
}

/// Where `.env` was copied from EchoDesk, its database is what somebody may believe to be at work.
fn warn_of_another(environment: &Environment, database: &DatabaseUrl) {
    if environment.get("DB_NAME").is_some() {
        tracing::warn!(%database, "DATABASE_URL and DB_NAME are both set: DATABASE_URL is used, and DB_… is not");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::one_line;

    fn settings(flag: Option<&str>, pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let args = GlobalArgs { database_url: flag.map(str::to_owned), ..GlobalArgs::default() };
        Settings::new(&args, pairs.iter().copied().collect())
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_default() {
        let variable = [("DATABASE_URL", "sqlite://from-variable")];
        let table: [(Option<&str>, &[_], &str); 4] = [
            (Some("sqlite://from-flag"), &variable, "sqlite://from-flag"),
            (None, &variable, "sqlite://from-variable"),
            (None, &[("DB_NAME", "echodesk")], "postgres://localhost:5432/echodesk"),
            (None, &[], "sqlite://echodesk-data"),
        ];
        for (flag, pairs, expected) in table {
            assert_eq!(settings(flag, pairs).unwrap().database.to_string(), expected);
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_named_by_its_origin_and_not_shown() {
        let error = settings(Some("mysql://bob:hunter2@db"), &[]).unwrap_err();
        let line = one_line(&error);
        assert!(line.starts_with("--database-url: ") && !line.contains("hunter2"), "{line}");
        let line = one_line(&settings(None, &[("DATABASE_URL", "nonsense")]).unwrap_err());
        assert!(line.starts_with("DATABASE_URL or DB_… of the environment: "), "{line}");
        let line = one_line(&settings(None, &[("DB_NAME", "x"), ("DB_PORT", "y")]).unwrap_err());
        assert!(line.ends_with("DB_PORT: not a port number"), "{line}");
    }

    #[test]
    fn a_flag_overrides_its_variable_by_name() {
        let settings = settings(None, &[("ECHODESK_CA_FILE", "v.pem"), ("A", "1")]).unwrap();
        let overlaid = settings.environment_with("ECHODESK_CA_FILE", Some("f.pem"));
        assert_eq!((overlaid.get("ECHODESK_CA_FILE"), overlaid.get("A")), (Some("f.pem"), Some("1")));
        assert_eq!(settings.environment_with("A", None).get("A"), Some("1"));
    }

    #[test]
    fn every_setting_is_in_the_example_file() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example");
        let example = std::fs::read_to_string(path).unwrap();
        for (name, _) in names::ALL.iter().flat_map(|group| group.names) {
            let set = format!("{name}=");
            let found = example.lines().any(|line| line.trim_start_matches(['#', ' ']).starts_with(&set));
            assert!(found, "{name} is not in .env.example");
        }
        echodesk_core::Environment::load(std::path::Path::new(path)).unwrap();
    }

    #[test]
    fn every_setting_of_the_example_is_known_and_every_known_one_is_in_it() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example");
        let example = std::fs::read_to_string(path).unwrap();
        let set = |line: &str| Some(line.strip_prefix("# ")?.split_once('=')?.0.to_owned());
        let is_name = |name: &String| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let mut in_example: Vec<String> = example.lines().filter_map(set).filter(is_name).collect();
        in_example.sort();
        in_example.dedup();
        assert_eq!(in_example, names::known().into_iter().collect::<Vec<_>>());
    }
}
