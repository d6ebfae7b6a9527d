//! The languages EchoDesk speaks with its tenants.

use serde::{Deserialize, Serialize};

/// A tenant's `preferred_language`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English, and what an unknown code falls back to.
    #[default]
    En,
    /// Georgian.
    Ka,
    /// Russian.
    Ru,
}

impl Language {
    /// The ISO 639-1 code, as the column holds it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ka => "ka",
            Self::Ru => "ru",
        }
    }

    /// Reads a column; a code that is not one of ours is English, as in EchoDesk.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code.trim().to_ascii_lowercase().as_str() {
            "ka" => Self::Ka,
            "ru" => Self::Ru,
            _ => Self::En,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_there_and_back() {
        for language in [Language::En, Language::Ka, Language::Ru] {
            assert_eq!(Language::from_code(language.code()), language);
        }
        assert_eq!(Language::from_code(" KA "), Language::Ka);
        assert_eq!(Language::from_code("de"), Language::En);
    }
}
