//! The pages.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use echodesk_billing::callback::{CallbackError, LARGEST};
use serde_json::{Value, json};

use crate::renewals::Renewals;
use crate::store::Subscription;
use crate::{in_one_line, outcome};

pub(crate) fn router(renewals: Arc<Renewals>) -> Router {
    Router::new()
        .route("/subscriptions", get(subscriptions))
        .route("/renewals", post(renew))
        .route("/api/payments/webhook/", post(callback))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(renewals)
}

async fn subscriptions(State(renewals): State<Arc<Renewals>>) -> Json<Vec<Subscription>> {
    Json(renewals.store.subscriptions())
}

/// One run of renewals. It belongs behind whatever guards the service's own pages.
async fn renew(State(renewals): State<Arc<Renewals>>) -> (StatusCode, Json<Value>) {
    // A task of its own: a caller that hangs up does not end the run. The end of the service waits for it.
    let run = tokio::spawn(async move { renewals.run().await });
    match run.await {
        Ok(Some(Ok((report, events)))) => {
            let events: Vec<Value> = events.iter().map(outcome::as_json).collect();
            let body = json!({
                "paid": report.totals.paid,
                "pending": report.totals.pending,
                "failures": report.totals.failures,
                "bank_away": report.bank_away,
                "stopped": report.stopped,
                "events": events,
            });
            (StatusCode::OK, Json(body))
        }
        Ok(None) => (StatusCode::CONFLICT, Json(json!({ "error": "a run is at work" }))),
        Ok(Some(Err(error))) => {
            tracing::error!("renewals: {}", in_one_line(&error));
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": "the store failed" })))
        }
        Err(error) => {
            tracing::error!("renewals: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "the run failed" })))
        }
    }
}

/// The bank tells how a charge ended. Everybody may call this page: what is not signed by the bank changes
/// nothing.
async fn callback(State(renewals): State<Arc<Renewals>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("callback-signature").and_then(|value| value.to_str().ok()).map(str::to_owned);
    // A store waits for its database, so it gets a thread that may.
    let applied = tokio::task::spawn_blocking(move || renewals.callback(&body, signature.as_deref())).await;
    match applied {
        Ok(Ok(applied)) => {
            tracing::info!("callback: {applied}");
            StatusCode::OK
        }
        Ok(Err(error)) => {
            tracing::warn!("callback refused: {}", in_one_line(&error));
            status(&error)
        }
        Err(error) => {
            tracing::error!("callback: {error}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

fn status(error: &CallbackError) -> StatusCode {
    match error {
        CallbackError::BadSignature => StatusCode::UNAUTHORIZED,
        CallbackError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        CallbackError::Malformed(_) => StatusCode::BAD_REQUEST,
        CallbackError::UnknownOrder { .. } => StatusCode::NOT_FOUND,
        // The bank tries again.
        CallbackError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
