//! Refusals in columns of the ledger.

use diesel::prelude::*;
use echodesk_billing::model::Refusal;

use crate::tables::attempts;
use crate::text::cut;

/// Response codes have three digits.
const CODE_CHARS: usize = 100;
/// A line or two.
pub(crate) const TEXT_CHARS: usize = 1000;

/// Why an attempt failed; all of it is none unless it did.
#[derive(Clone, Debug, Default, Queryable, QueryableByName, Selectable, AsChangeset)]
#[diesel(table_name = attempts, treat_none_as_null = true)]
pub(crate) struct RefusalColumns {
    refusal_kind: Option<String>,
    refusal_status: Option<i32>,
    refusal_code: Option<String>,
    refusal_text: Option<String>,
}

impl RefusalColumns {
    pub(crate) fn write(refusal: &Refusal) -> Self {
        let code = |code: &Option<String>| code.as_deref().map(|code| cut(code, CODE_CHARS).into_owned());
        let text = |text: &str| Some(cut(text, TEXT_CHARS).into_owned());
        let (kind, refusal_status, refusal_code, refusal_text) = match refusal {
            Refusal::Rejected { code: said, reason } => {
                ("rejected", None, code(said), reason.as_deref().and_then(text))
            }
            Refusal::Http { status, code: said, message } => {
                ("http", Some(i32::from(*status)), code(said), text(message))
            }
            Refusal::Person { because } => ("person", None, None, text(because)),
        };
        Self { refusal_kind: Some(kind.to_owned()), refusal_status, refusal_code, refusal_text }
    }

    pub(crate) fn read(self) -> Option<Refusal> {
        match self.refusal_kind.as_deref()? {
            "http" => Some(Refusal::Http {
                status: self.refusal_status.and_then(|status| u16::try_from(status).ok()).unwrap_or_default(),
                code: self.refusal_code,
                message: self.refusal_text.unwrap_or_default(),
            }),
            "person" => Some(Refusal::Person { because: self.refusal_text.unwrap_or_default() }),
            // The table allows no fourth kind.
            _ => Some(Refusal::Rejected { code: self.refusal_code, reason: self.refusal_text }),
        }
    }
}
