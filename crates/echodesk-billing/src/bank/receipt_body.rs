//! Reads a receipt: the answer of `GET /receipt/{id}`, and the body of a callback.
//!
//! The bank's documentation and what it sends differ in what is a string, a number or null, so all are
//! taken for what they say. Numbers are read from their digits, never through a float.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::model::{BankOrderId, Receipt, ReceiptStatus};

/// Why a text is no receipt. Says where and what kind of thing, and repeats nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptBodyError {
    /// Not JSON, or not the right kind of JSON.
    #[error("not a receipt: {problem}")]
    NotJson {
        /// What is wrong, and where.
        problem: String,
    },
    /// Nothing where there must be something.
    #[error("a receipt without {field}")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// Something else than text or a number where one of them must be.
    #[error("{field} of the receipt is neither text nor a number")]
    NotScalar {
        /// The field.
        field: &'static str,
    },
    /// Something else than an object.
    #[error("{field} of the receipt is not an object")]
    NotObject {
        /// The field.
        field: &'static str,
    },
    /// An amount that is no exact decimal.
    #[error("{field} of the receipt is not an amount")]
    NotAmount {
        /// The field.
        field: &'static str,
    },
}

type Field = Option<Box<RawValue>>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    order_id: Field,
    external_order_id: Field,
    order_status: Field,
    purchase_units: Field,
    payment_detail: Field,
    reject_reason: Field,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    key: Field,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Units {
    request_amount: Field,
    transfer_amount: Field,
    currency_code: Field,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    parent_order_id: Field,
    code: Field,
}

/// Reads a receipt. What is null, blank or not there is none; what is not known is passed over.
///
/// # Errors
/// Without an order or a status; or something is there that cannot be read, and that something follows
/// from.
pub(crate) fn read(json: &[u8]) -> Result<Receipt, ReceiptBodyError> {
    let raw: &RawValue = serde_json::from_slice(json).map_err(|error| not_json(&error))?;
    read_raw(raw)
}

/// The same of a part of a text.
pub(crate) fn read_raw(raw: &RawValue) -> Result<Receipt, ReceiptBodyError> {
    if !is_object(raw) {
        return Err(ReceiptBodyError::NotJson { problem: "another kind of JSON".to_owned() });
    }
    let body: Body = serde_json::from_str(raw.get()).map_err(|error| not_json(&error))?;
    let status: Status = object(body.order_status, "order_status")?;
    let units: Units = object(body.purchase_units, "purchase_units")?;
    let detail: Detail = object(body.payment_detail, "payment_detail")?;
    let missing = |field| ReceiptBodyError::Missing { field };
    Ok(Receipt {
        order: BankOrderId(text(body.order_id, "order_id")?.ok_or(missing("order_id"))?),
        external: text(body.external_order_id, "external_order_id")?,
        status: ReceiptStatus::from_key(&text(status.key, "order_status.key")?.ok_or(missing("order_status.key"))?),
        requested: amount(units.request_amount, "purchase_units.request_amount")?,
        transferred: amount(units.transfer_amount, "purchase_units.transfer_amount")?,
        currency: text(units.currency_code, "purchase_units.currency_code")?,
        parent: text(detail.parent_order_id, "payment_detail.parent_order_id")?.map(BankOrderId),
        code: text(detail.code, "payment_detail.code")?,
        reject_reason: text(body.reject_reason, "reject_reason")?,
    })
}

/// An array would pass for a struct.
pub(crate) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// What a parser's error says without repeating what was read.
pub(crate) fn not_json(error: &serde_json::Error) -> ReceiptBodyError {
    let kind = match error.classify() {
        serde_json::error::Category::Data => "another kind of JSON",
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
    };
    ReceiptBodyError::NotJson { problem: format!("{kind}, line {}, column {}", error.line(), error.column()) }
}

fn object<T: DeserializeOwned + Default>(field: Field, name: &'static str) -> Result<T, ReceiptBodyError> {
    let Some(raw) = field else { return Ok(T::default()) };
    if !is_object(&raw) {
        return Err(ReceiptBodyError::NotObject { field: name });
    }
    serde_json::from_str(raw.get()).map_err(|_| ReceiptBodyError::NotObject { field: name })
}

/// Text, or a number as it is written.
fn text(field: Field, name: &'static str) -> Result<Option<String>, ReceiptBodyError> {
    let Some(raw) = field else { return Ok(None) };
    let not_scalar = ReceiptBodyError::NotScalar { field: name };
    let text = match raw.get().bytes().next() {
        Some(b'"') => serde_json::from_str(raw.get()).map_err(|_| not_scalar)?,
        Some(b'-' | b'0'..=b'9') => raw.get().to_owned(),
        _ => return Err(not_scalar),
    };
    Ok(Some(text).filter(|text: &String| !text.trim().is_empty()))
}

fn amount(field: Field, name: &'static str) -> Result<Option<Decimal>, ReceiptBodyError> {
    text(field, name)?.map(|text| decimal(text.trim()).ok_or(ReceiptBodyError::NotAmount { field: name })).transpose()
}

/// Exactly the number that is written, or none.
fn decimal(text: &str) -> Option<Decimal> {
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'e' | b'E' | b'+'));
    if !is_number {
        return None;
    }
    match text.split_once(['e', 'E']) {
        None => Decimal::from_str_exact(text).ok(),
        Some((digits, exponent)) => {
            let (digits, exponent) = (Decimal::from_str_exact(digits).ok()?, exponent.parse::<i32>().ok()?);
            let scale = i64::from(digits.scale()) - i64::from(exponent);
            let factor = u32::try_from(-scale).ok().map_or(Some(Decimal::ONE), |zeros| {
                Some(Decimal::from_i128_with_scale(10_i128.checked_pow(zeros)?, 0))
            })?;
            let scaled =
                Decimal::try_from_i128_with_scale(digits.mantissa(), u32::try_from(scale).unwrap_or(0)).ok()?;
            scaled.checked_mul(factor)
        }
    }
}

#[cfg(test)]
mod tests;
