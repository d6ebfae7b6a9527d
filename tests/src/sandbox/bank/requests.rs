//! What was asked of the bank, and what it answered.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::endpoint::Endpoint;

/// A request as the bank saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// When it arrived.
    pub at: Timestamp,
    /// `POST` and the like.
    pub method: String,
    /// With the query, if it has one.
    pub path: String,
    /// None for a path that the bank does not have.
    pub endpoint: Option<Endpoint>,
    /// `Idempotency-Key` as it was sent.
    pub key: Option<String>,
    /// `external_order_id` of the body.
    pub external_id: Option<String>,
    /// The body as text.
    pub body: String,
    /// Whether it had a token, or credentials, that are good.
    pub authorised: bool,
    /// Whether it got the answer of an earlier one with its key.
    pub replayed: bool,
    /// The status that was sent; none while it waits, and where there was no answer.
    pub status: Option<u16>,
}

/// All requests, in the order of their arrival.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<Vec<SeenRequest>>);

impl Requests {
    /// Notes a request, and says which it is.
    pub(crate) fn add(&self, request: SeenRequest) -> usize {
        let mut requests = self.lock();
        requests.push(request);
        requests.len() - 1
    }

    /// Notes what became of it.
    pub(crate) fn answered(&self, index: usize, status: Option<u16>, replayed: bool) {
        if let Some(request) = self.lock().get_mut(index) {
            request.status = status;
            request.replayed = replayed;
        }
    }

    pub(crate) fn since(&self, index: usize) -> Vec<SeenRequest> {
        self.lock().get(index..).unwrap_or_default().to_vec()
    }

    pub(crate) fn count(&self, endpoint: Endpoint) -> usize {
        self.lock().iter().filter(|request| request.endpoint == Some(endpoint)).count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SeenRequest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
