//! `echodesk callbacks serve`.

use std::sync::Arc;

use echodesk_core::StopToken;
use echodesk_job::identity::{self, Acts};
use echodesk_job::signals::Signals;
use echodesk_job::{JobError, Needs, NoticeSettings, SettingsError, time_zone};
use echodesk_store::Access;
use tokio::net::TcpListener;

use super::backend::Ledger;
use super::endpoint::router;
use super::keys::keys;
use super::limits::Limits;
use super::server;
use crate::answer::Answer;
use crate::cli::ServeArgs;
use crate::command::World;
use crate::error::CommandError;

/// Serves until a signal asks to stop. Whatever is wrong with settings, database or address is found
/// out before.
pub(crate) fn serve(world: &World, args: &ServeArgs) -> Result<Answer, CommandError> {
    let keys = keys(&world.settings.environment).map_err(SettingsError::from)?;
    let time_zone = time_zone::billing(&world.settings.environment)?;
    let store = world.store(Access::ReadWrite, Needs::Billing)?;
    // A copy must not book what is meant for the original.
    identity::guard(&store, &world.settings.environment, &NoticeSettings::read(&world.settings)?, Acts::default())?;
    let limits = Limits::default();
    let backend = Arc::new(Ledger { store, keys, clock: Arc::clone(&world.clock), time_zone });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| JobError::System { what: "start threads", source })?;
    runtime.block_on(async {
        let no_address = |source| CommandError::Listen { address: args.listen, source };
        let listener = TcpListener::bind(args.listen).await.map_err(no_address)?;
        let address = listener.local_addr().map_err(no_address)?;
        let stop = StopToken::new();
        let _signals = Signals::listen(stop.clone(), world.terminal.clone())
            .map_err(|source| JobError::System { what: "listen for signals", source })?;
        tracing::info!(%address, database = %world.settings.database, "listening for callbacks");
        server::serve(listener, router(backend, &limits), &limits, &stop).await;
        Ok::<(), CommandError>(())
    })?;
    // What a caller did not wait for is finished all the same.
    runtime.shutdown_timeout(limits.stop_within);
    tracing::info!("stopped");
    Ok(Answer::done(""))
}
