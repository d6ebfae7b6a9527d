//! Names of tenant schemas.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// The name of a tenant's schema: on PostgreSQL a schema, on SQLite a file.
///
/// Letters, digits, `_` and `-`, at most 63 bytes (PostgreSQL's limit for identifiers), and never
/// one of the names PostgreSQL keeps for itself. So it is safe in a quoted identifier and as a file
/// name, which are the two places it is used in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SchemaName(String);

impl SchemaName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a tenant's schema name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaNameError {
    /// Nothing there.
    #[error("a schema name cannot be empty")]
    Empty,
    /// Over 63 bytes.
    #[error("schema name {0:?} is longer than 63 bytes")]
    TooLong(String),
    /// A character outside letters, digits, `_` and `-`.
    #[error("schema name {name:?} has {found:?} in it: only letters, digits, _ and - may be used")]
    Character {
        /// The name as given.
        name: String,
        /// The first character that does not belong.
        found: char,
    },
    /// `public`, `information_schema` or `pg_…`.
    #[error("schema name {0:?} is reserved")]
    Reserved(String),
}

impl FromStr for SchemaName {
    type Err = SchemaNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name.is_empty() {
            return Err(SchemaNameError::Empty);
        }
        if name.len() > 63 {
            return Err(SchemaNameError::TooLong(name.to_owned()));
        }
        let bad = |c: &char| !(c.is_ascii_alphanumeric() || *c == '_' || *c == '-');
        if let Some(found) = name.chars().find(bad) {
            return Err(SchemaNameError::Character { name: name.to_owned(), found });
        }
        let lower = name.to_ascii_lowercase();
        if lower == "public" || lower == "information_schema" || lower.starts_with("pg_") {
            return Err(SchemaNameError::Reserved(name.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_safe_everywhere_pass() {
        for name in ["acme", "tenant_1", "my-company", "A", &"x".repeat(63)] {
            assert_eq!(name.parse::<SchemaName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_could_escape_their_quotes_or_folder_do_not() {
        let bad = ["", "a b", "a\"b", "a/b", "..", "a.b", "თბილისი", "public", "PG_temp", "information_schema", "a\0"];
        for name in bad {
            assert!(name.parse::<SchemaName>().is_err(), "{name:?}");
        }
        assert!("x".repeat(64).parse::<SchemaName>().is_err());
    }
}
