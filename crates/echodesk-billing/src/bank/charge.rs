//! What an answer to a charge means.

use echodesk_core::Secret;
use serde_json::Value;

use super::call::{Answered, NoAnswer};
use super::words;
use crate::model::{BankOrderId, Refusal};
use crate::ports::ChargeAnswer;

/// The longest name of an order that EchoDesk's table holds, in bytes.
const LONGEST_ORDER: usize = 100;

/// Reads an answer. Only the bank's own words count: an object of JSON. Anything else may come from
/// something in between, which does not know what the bank did.
pub(super) fn read(result: Result<Answered, NoAnswer>, client_secret: &Secret) -> ChargeAnswer {
    let Answered { answer, token, after_another } = match result {
        Ok(answered) => answered,
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
        (400..=499, Some(body)) => {
            let code = words::response_code(&body);
            let message = words::message(&body, &[client_secret, &token]);
            // Something before the bank's own memory of keys may refuse the repeat of a try that has charged.
            if after_another && code.is_none() {
                return ChargeAnswer::Unknown(format!(
                    "HTTP {status} ({message}) after a try whose answer is not known"
                ));
            }
            ChargeAnswer::Refused(Refusal::Http { status, code, message })
        }
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
    use super::super::exchange::Answer;
    use super::*;

    fn read_body(status: u16, body: Option<&str>) -> ChargeAnswer {
        let answer = Answer { status, retry_after: None, body: body.map(|body| body.as_bytes().to_vec()) };
        read(Ok(Answered { answer, token: Secret::new("hunter2"), after_another: false }), &Secret::new("hunter3"))
    }

    fn said(status: u16, body: &str) -> ChargeAnswer {
        read_body(status, Some(body))
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
            let refusal =
                Refusal::Http { status, code: Some("102".to_owned()), message: "no [secret] [secret]".to_owned() };
            assert_eq!(said(status, r#"{"message":"no hunter2 hunter3","code":102}"#), ChargeAnswer::Refused(refusal));
            for body in ["", "<html>no</html>", "\"no\"", "[]", "null", r#"{"message":"n"#] {
                assert!(matches!(said(status, body), ChargeAnswer::Unknown(_)), "{status} {body}");
            }
            assert!(matches!(read_body(status, None), ChargeAnswer::Unknown(_)), "too long");
        }
    }
}
