//! What an answer to `GET /receipt/{id}` means.

use echodesk_core::Secret;

use super::call::{Answered, NoAnswer};
use super::{receipt_body, words};
use crate::model::{BankOrderId, Receipt};
use crate::ports::ReceiptError;

/// Reads an answer about `order`.
pub(super) fn read(
    result: Result<Answered, NoAnswer>,
    order: &BankOrderId,
    client_secret: &Secret,
) -> Result<Receipt, ReceiptError> {
    let unavailable = |why: String| ReceiptError::Unavailable { order: order.clone(), why };
    let Answered { answer, token, .. } = result.map_err(|no| unavailable(no.why))?;
    let secrets = [client_secret, &token];
    let status = answer.status;
    let Some(body) = &answer.body else { return Err(unavailable(format!("HTTP {status} with too long a body"))) };
    if (200..300).contains(&status) {
        let receipt = receipt_body::read(body).map_err(|error| unavailable(format!("HTTP {status}: {error}")))?;
        if receipt.order == *order {
            return Ok(receipt);
        }
        return Err(unavailable("the bank sent the receipt of another order".to_owned()));
    }
    match (status, words::object(Some(body))) {
        // The bank says 400 of an order that it does not know.
        (400 | 404, Some(body)) => {
            Err(ReceiptError::UnknownOrder { order: order.clone(), message: words::message(&body, &secrets) })
        }
        (_, Some(body)) => Err(unavailable(format!("HTTP {status} {}", words::message(&body, &secrets)))),
        (_, None) => Err(unavailable(format!("HTTP {status} with a body that is not the bank's"))),
    }
}
