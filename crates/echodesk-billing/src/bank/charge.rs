//! What an answer to a charge means.

use serde_json::Value;

use super::call::NoAnswer;
use super::exchange::Answer;
use super::words;
use crate::model::{BankOrderId, Refusal};
use crate::ports::ChargeAnswer;

/// The longest name of an order that EchoDesk's table holds, in bytes.
const LONGEST_ORDER: usize = 100;

/// Reads an answer. Only the bank's own words count: an object of JSON. Anything else may come from
/// something in between, which does not know what the bank did.
pub(super) fn read(result: Result<Answer, NoAnswer>, secrets: &[&str]) -> ChargeAnswer {
    let answer = match result {
        Ok(answer) => answer,
        Err(NoAnswer { why, sent: true }) => return ChargeAnswer::Unknown(why),
        Err(NoAnswer { why, sent: false }) => return ChargeAnswer::NotSent(why),
    };
    let status = answer.status;
    let body = words::object(answer.body.as_deref());
    match (status, body) {
        (200..=299, Some(body)) => match body.get("id").and_then(order) {
            Some(order) => ChargeAnswer::Accepted(order),
            None => ChargeAnswer::Unknown(format!("HTTP {status} without the name of an order")),
        },
        (400..=499, Some(body)) => ChargeAnswer::Refused(Refusal::Http {
            status,
            code: words::response_code(&body),
            message: words::message(&body, secrets),
        }),
        _ => ChargeAnswer::Unknown(format!("HTTP {status} with a body that is not the bank's")),
    }
}

fn order(id: &Value) -> Option<BankOrderId> {
    let id = id.as_str()?;
    let is_name = !id.is_empty() && id.len() <= LONGEST_ORDER && id.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| BankOrderId(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> ChargeAnswer {
        read(Ok(Answer { status, retry_after: None, body: Some(body.as_bytes().to_vec()) }), &["hunter2"])
    }

    #[test]
    fn an_order_is_made_only_if_it_has_a_name() {
        for status in [200, 201, 202] {
            let order = BankOrderId("b-1".to_owned());
            assert_eq!(said(status, r#"{"id":"b-1","_links":{}}"#), ChargeAnswer::Accepted(order));
        }
        let long = format!(r#"{{"id":"{}"}}"#, "a".repeat(101));
        for body in
            ["", "{}", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":"a b"}"#, r#"{"id":7}"#, r#"{"id":"b"#, "[]", &long]
        {
            assert!(matches!(said(200, body), ChargeAnswer::Unknown(_)), "{body}");
        }
    }

    #[test]
    fn only_the_banks_own_words_refuse() {
        for status in [400, 402, 403, 404, 410, 422, 451] {
            let refusal = Refusal::Http { status, code: Some("102".to_owned()), message: "no [secret]".to_owned() };
            assert_eq!(said(status, r#"{"message":"no hunter2","code":102}"#), ChargeAnswer::Refused(refusal));
            for body in ["", "<html>no</html>", "\"no\"", "[]", "null", r#"{"message":"n"#] {
                assert!(matches!(said(status, body), ChargeAnswer::Unknown(_)), "{status} {body}");
            }
            let long = read(Ok(Answer { status, retry_after: None, body: None }), &[]);
            assert!(matches!(long, ChargeAnswer::Unknown(_)));
        }
    }
}
