//! One call from its arrival to its answer.

use std::future::pending;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use tokio::time::{Instant, sleep_until};

use super::Bank;
use super::answer::{Answer, Sent};
use super::behaviour::InProgress;
use super::connection::Cut;
use super::endpoint::Endpoint;
use super::fault::{Call, Fault};
use super::keys::{self, Claim};
use super::requests::SeenRequest;
use super::tokens;

/// The bank reads no more than this.
const BODY_LIMIT: usize = 1 << 20;

/// A request whose body has been read.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) authorization: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
}

/// Answers one request.
pub(crate) async fn serve(
    State(bank): State<Arc<Bank>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request<Body>,
) -> Response {
    let at = Instant::now();
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        cut.now();
        return Response::default();
    };
    let (authorization, key) = (text(&head.headers, "authorization"), text(&head.headers, "idempotency-key"));
    let arrived = Arrived { method: head.method, uri: head.uri, authorization, key, body, at };
    // A task of its own: the bank goes on where the client has hung up.
    let sent = tokio::spawn(exchange(bank, arrived)).await;
    match sent {
        Ok(Sent::Response(response)) => response,
        Ok(Sent::Nothing) => pending().await,
        Ok(Sent::Close) | Err(_) => {
            cut.now();
            Response::default()
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned())
}

async fn exchange(bank: Arc<Bank>, arrived: Arrived) -> Sent {
    let latency = bank.behaviour().latency;
    let (endpoint, order_id) = match Endpoint::of(&arrived.method, arrived.uri.path()) {
        Some((endpoint, order_id)) => (Some(endpoint), order_id),
        None => (None, None),
    };
    let external_id = field(&arrived.body, "external_order_id");
    let authorised = bank.is_authorised(endpoint, &arrived);
    let index = bank.requests.add(SeenRequest {
        at: bank.now().0,
        method: arrived.method.to_string(),
        path: arrived.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        endpoint,
        key: arrived.key.clone(),
        external_id: external_id.clone(),
        body: String::from_utf8_lossy(&arrived.body).into_owned(),
        authorised,
        replayed: false,
        status: None,
    });
    let Some(endpoint) = endpoint else {
        bank.requests.answered(index, Some(404), false);
        return Answer::error(404, "Not Found").sent();
    };
    let number = bank.number(endpoint);
    let call = Call { endpoint, number, order_id, external_id, key: arrived.key.clone() };
    let fault = bank.faults.of(&call);

    let (answer, replayed) = bank.answer(&call, &arrived, authorised, fault.as_ref()).await;
    sleep_until(arrived.at + latency).await;
    let sent = match (&fault, answer) {
        (Some(Fault::Before(wrong) | Fault::After(wrong)), _) => wrong.sent(),
        (Some(Fault::Altered(alteration)), Some(answer)) => answer.altered(*alteration).await,
        (_, Some(answer)) => answer.sent(),
        (_, None) => Sent::Close,
    };
    let status = match &sent {
        Sent::Response(response) => Some(response.status().as_u16()),
        Sent::Nothing | Sent::Close => None,
    };
    bank.requests.answered(index, status, replayed);
    sent
}

/// A field of text in a JSON object.
pub(crate) fn field(body: &[u8], name: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Bank {
    fn is_authorised(&self, endpoint: Option<Endpoint>, arrived: &Arrived) -> bool {
        let header = arrived.authorization.as_deref();
        if endpoint == Some(Endpoint::Token) {
            tokens::is_client(header)
        } else {
            self.tokens.is_good(header, self.now().1)
        }
    }

    /// The answer that the bank means to give, none where it was not asked; and whether it gave it before.
    async fn answer(
        self: &Arc<Self>,
        call: &Call,
        arrived: &Arrived,
        authorised: bool,
        fault: Option<&Fault>,
    ) -> (Option<Answer>, bool) {
        let behaviour = self.behaviour();
        // What the bank remembers under the key instead of its own answer.
        let remembered = match fault {
            Some(Fault::Before(wrong) | Fault::After(wrong)) if behaviour.remembers_faults => wrong.answer(),
            _ => None,
        };
        let acts = !matches!(fault, Some(Fault::Before(_)));
        if !acts && remembered.is_none() {
            return (None, false);
        }
        if !authorised && call.endpoint != Endpoint::Token {
            return (Some(Answer::error(401, "Unauthorized")), false);
        }
        let middle = arrived.at + behaviour.latency / 2;
        let key = arrived.key.as_deref().filter(|_| call.endpoint.takes_key());
        let Some(key) = key else {
            sleep_until(middle).await;
            return (if acts { Some(self.act(call, arrived).await) } else { None }, false);
        };
        let Some(key) = keys::parse(key) else {
            return (Some(Answer::error(400, "Idempotency-Key is not a UUID")), false);
        };
        let place = format!("{} {}", arrived.method, arrived.uri.path());
        match self.keys.claim(place, key, &arrived.body, self.now().1, behaviour.key_lifetime) {
            Claim::First(sender) => {
                sleep_until(middle).await;
                let answer = if acts { Some(self.act(call, arrived).await) } else { None };
                // Nobody may be waiting.
                let _ = sender.send(remembered.or_else(|| answer.clone()));
                (answer, false)
            }
            Claim::Repeat { same_body: false, .. } if behaviour.key_is_for_one_body => {
                (Some(Answer::error(422, "Idempotency-Key was used with another body")), false)
            }
            Claim::Repeat { answer, .. }
                if behaviour.in_progress == InProgress::Conflict && answer.borrow().is_none() =>
            {
                (Some(Answer::error(409, "A request with this Idempotency-Key is in progress")), false)
            }
            Claim::Repeat { mut answer, .. } => {
                let first = answer.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
                (first, true)
            }
        }
    }
}
