//! Accepting connections, within limits, until asked to stop.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use echodesk_core::StopToken;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::limits::Limits;

/// Serves until `stop` is set, then finishes what is in flight.
///
/// One request a connection: callbacks are few, and a connection that nobody keeps cannot be kept
/// for nothing.
pub(super) async fn serve(listener: TcpListener, router: Router, limits: &Limits, stop: &StopToken) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(stop) => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        tokio::spawn(connection(stream, router.clone(), limits.clone(), graceful.watcher(), place));
    }
    // No new connection is taken from here on, and the address is free for a successor.
    drop(listener);
    if timeout(limits.stop_within, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped with connections that did not end");
    }
}

/// A connection and its place among those at once.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            // A connection that has ended already, or no file handles left: the next may do better.
            tracing::warn!("a connection could not be accepted: {error}");
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn connection(stream: TcpStream, router: Router, limits: Limits, watcher: Watcher, place: OwnedSemaphorePermit) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers_within)
        .keep_alive(false)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(limits.connection_within, watcher.watch(served)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a connection ended early: {error}"),
        Err(_) => tracing::debug!("a connection took too long"),
    }
    drop(place);
}

/// Resolves once somebody has asked to stop.
async fn stopped(stop: &StopToken) {
    while !stop.is_stopped() {
        sleep(Duration::from_millis(50)).await;
    }
}
