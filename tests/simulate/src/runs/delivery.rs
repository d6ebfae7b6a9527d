//! What every job ends with: the delivery of what waits.

use std::sync::{Arc, LazyLock};

use echodesk_core::StopToken;
use echodesk_notify::ports::{Fate, Queued};
use echodesk_notify::{DeliveryObserver, DeliveryOptions, DeliveryWorld, Sender, Templates, deliver};

use crate::bugs;
use crate::process::Process;

/// Read once: that takes a moment.
static TEMPLATES: LazyLock<Arc<Templates>> = LazyLock::new(|| Arc::new(Templates::embedded()));

#[expect(clippy::expect_used, reason = "the address is ours")]
static SENDER: LazyLock<Sender> =
    LazyLock::new(|| Sender::parse("EchoDesk <noreply@echodesk.example>").expect("an address"));

/// The delivery of a run, under the run's own id.
pub(super) async fn delivery(process: &Arc<Process>) {
    let world = &process.world;
    let options = DeliveryOptions { time_zone: world.billing_zone.clone(), ..DeliveryOptions::new(SENDER.clone()) };
    let done = deliver(
        DeliveryWorld {
            outbox: bugs::outbox(process),
            transport: bugs::transport(process),
            templates: Arc::clone(&TEMPLATES),
            clock: Arc::new(process.clock.clone()),
            stop: StopToken::new(),
            run: process.run,
            observer: Arc::new(Told(Arc::clone(process))),
        },
        options,
    );
    let done = done.await;
    world.trace.note(None, format_args!("{} has delivered: {done:?}", process.name));
}

struct Told(Arc<Process>);

impl DeliveryObserver for Told {
    fn fate(&self, notice: &Queued, fate: &Fate) {
        let world = &self.0.world;
        let tenant = world.accounts.of_tenant(notice.tenant.id);
        world.trace.note(tenant, format_args!("{} of {}: {fate:?}", notice.code, notice.period));
    }
}
