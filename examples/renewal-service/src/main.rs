//! An example: a web service with subscriptions of its own, which takes the bank's callbacks and renews
//! through echodesk-billing. See its README.

mod outcome;
mod pages;
mod renewals;
mod settings;
mod store;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use echodesk_billing::bank::{BankLimits, BogBank};
use echodesk_billing::ports::SystemRandom;
use echodesk_core::{Environment, StopToken, SystemClock};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::renewals::Renewals;
use crate::settings::Settings;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let done = Environment::load(".env".as_ref())
        .map_err(Into::into)
        .and_then(|environment| Ok(Settings::from_environment(&environment)?))
        .and_then(serve);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", in_one_line(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

/// Serves until SIGINT or SIGTERM; what is in flight is finished, also a run whose caller has hung up.
fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(SystemClock::new());
    let random = Arc::new(SystemRandom);
    let bank = BogBank::new(settings.bank, BankLimits::default(), clock.clone(), random.clone())?;
    let stop = StopToken::new();
    let renewals = Arc::new(Renewals {
        store: Arc::new(settings.subscriptions),
        bank: Arc::new(bank),
        clock,
        random,
        keys: settings.keys,
        time_zone: settings.time_zone,
        settle_for: settings.settle_for,
        stop: stop.clone(),
        running: tokio::sync::Mutex::default(),
    });
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async move {
        let listener = TcpListener::bind(settings.listen).await?;
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tracing::info!(address = %listener.local_addr()?, "listening");
        let asked_to_stop = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping");
            // A run charges nothing more; what it has begun it writes down.
            stop.stop();
        };
        axum::serve(listener, pages::router(Arc::clone(&renewals))).with_graceful_shutdown(asked_to_stop).await?;
        // All connections have ended; a run may still wait for the bank, and its answer has to be written down.
        let _no_more_runs = renewals.last_run_ended().await;
        Ok(())
    })
}

/// An error with all its causes.
fn in_one_line(error: &dyn Error) -> String {
    let (mut line, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        line.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    line
}
