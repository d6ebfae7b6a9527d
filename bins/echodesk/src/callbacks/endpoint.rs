//! The pages of the callback server, and how one request is answered.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::limits::Limits;
use super::reply::Reply;

/// What the server stands before. Both may wait for the database, so each is called on a thread of its
/// own.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Verifies and applies a callback.
    fn apply(&self, body: &[u8], signature: Option<&str>) -> Reply;

    /// Whether the database answers.
    fn is_well(&self) -> bool;
}

/// What requests share.
#[derive(Clone)]
struct Shared {
    backend: Arc<dyn Backend>,
    turns: Arc<Semaphore>,
    limits: Arc<Limits>,
}

/// The header that carries the bank's signature.
const SIGNATURE: &str = "callback-signature";

/// The pages.
pub(super) fn router(backend: Arc<dyn Backend>, limits: &Limits) -> Router {
    let shared = Shared { backend, turns: Arc::new(Semaphore::new(limits.database)), limits: Arc::new(limits.clone()) };
    Router::new()
        .route("/api/payments/webhook/", post(callback))
        .route("/api/payments/webhook", post(callback))
        .route("/healthz", get(health))
        .fallback(|| async { Reply::NotFound })
        .method_not_allowed_fallback(|| async { Reply::MethodNotAllowed })
        .with_state(shared)
}

async fn callback(State(shared): State<Shared>, request: Request) -> Reply {
    let signature = signature(request.headers());
    let limits = &shared.limits;
    let body = match timeout(limits.body_within, read(request.into_body(), limits)).await {
        Ok(Ok(body)) => body,
        Ok(Err(reply)) => return refused(reply),
        Err(_) => return refused(Reply::TooSlow),
    };
    shared.on_database(move |backend| backend.apply(&body, signature.as_deref())).await
}

async fn health(State(shared): State<Shared>) -> Reply {
    shared.on_database(|backend| if backend.is_well() { Reply::Done } else { Reply::TryAgain }).await
}

impl Shared {
    async fn on_database(&self, work: impl FnOnce(&dyn Backend) -> Reply + Send + 'static) -> Reply {
        let turn = timeout(self.limits.turn_within, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            tracing::warn!("too many requests are waiting for the database");
            return Reply::TryAgain;
        };
        let backend = Arc::clone(&self.backend);
        let work = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, also where nobody waits for its result any more.
            let _turn = turn;
            work(backend.as_ref())
        });
        // What panicked has been logged with its place.
        work.await.unwrap_or(Reply::Failed)
    }
}

/// The signature as it stands there; one that is no text is none of the bank's.
fn signature(headers: &HeaderMap) -> Option<String> {
    headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The whole body, in memory as far as it may be long.
async fn read(mut body: Body, limits: &Limits) -> Result<Vec<u8>, Reply> {
    let announced = body.size_hint().lower();
    if announced > limits.discarded as u64 {
        return Err(Reply::TooLarge);
    }
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = next_frame(&mut body).await {
        let Ok(frame) = frame else { return Err(Reply::Unreadable) };
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length > limits.discarded {
            return Err(Reply::TooLarge);
        }
        if length <= limits.body {
            bytes.extend_from_slice(&data);
        }
    }
    if length > limits.body { Err(Reply::TooLarge) } else { Ok(bytes) }
}

async fn next_frame(body: &mut Body) -> Option<Result<hyper::body::Frame<axum::body::Bytes>, axum::Error>> {
    std::future::poll_fn(|context| std::pin::Pin::new(&mut *body).poll_frame(context)).await
}

/// What was not even looked at is told all the same: it may be the bank's.
fn refused(reply: Reply) -> Reply {
    tracing::warn!(outcome = ?reply, "callback not read");
    reply
}
