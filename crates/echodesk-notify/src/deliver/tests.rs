//! The run, against an outbox in memory and a transport that does as it is told.

mod database;
mod fates;
mod simulation;
mod trouble;

use std::collections::BTreeMap;
use std::sync::Mutex;

use echodesk_core::ManualClock;

use super::*;
use crate::ports::Fate;
use crate::testing::{MemoryOutbox, Row, RowState, ScriptedTransport, queued};

/// Keeps what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<(i64, Fate)>>);

impl DeliveryObserver for Notes {
    fn fate(&self, notice: &Queued, fate: &Fate) {
        self.0.lock().unwrap().push((notice.id.0, fate.clone()));
    }
}

/// A world in which time stands still until it is moved.
struct Scene {
    outbox: Arc<MemoryOutbox>,
    transport: Arc<ScriptedTransport>,
    clock: Arc<ManualClock>,
    stop: StopToken,
    notes: Arc<Notes>,
    options: DeliveryOptions,
}

impl Scene {
    fn new(notices: impl IntoIterator<Item = Queued>, transport: ScriptedTransport) -> Self {
        Self {
            outbox: Arc::new(MemoryOutbox::with(notices)),
            transport: Arc::new(transport),
            clock: Arc::new(ManualClock::at("1970-01-02T00:00:00Z".parse().unwrap())),
            stop: StopToken::new(),
            notes: Arc::default(),
            options: DeliveryOptions::new(Sender::parse("EchoDesk <noreply@echodesk.example>").unwrap()),
        }
    }

    fn world(&self) -> DeliveryWorld<ScriptedTransport> {
        DeliveryWorld {
            outbox: Arc::clone(&self.outbox) as Arc<dyn Outbox>,
            transport: Arc::clone(&self.transport),
            templates: Arc::new(Templates::embedded()),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            stop: self.stop.clone(),
            run: RunId::random(),
            observer: Arc::clone(&self.notes) as Arc<dyn DeliveryObserver>,
        }
    }

    async fn deliver(&self) -> DeliveryReport {
        deliver(self.world(), self.options.clone()).await.unwrap()
    }

    /// The row of a notice.
    fn row(&self, id: i64) -> Row {
        self.outbox.rows().into_iter().find(|row| row.notice.id.0 == id).unwrap()
    }

    fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for row in self.outbox.rows() {
            let name = match row.state {
                RowState::Queued => "queued",
                RowState::Sent => "sent",
                RowState::Parked => "parked",
                RowState::Withdrawn => "withdrawn",
            };
            *states.entry(name).or_default() += 1;
        }
        states
    }

    fn assert_no_claims(&self) {
        assert!(self.outbox.rows().iter().all(|row| row.claim.is_none()));
    }
}

/// So many that nobody has tried before wait.
fn untried(queued: u64) -> Waiting {
    Waiting { queued, ..Waiting::default() }
}

/// So many wait that were tried in vain.
fn tried(queued: u64) -> Waiting {
    Waiting { queued, tried: queued, parked: 0 }
}

fn notices(count: i64) -> Vec<Queued> {
    (1..=count).map(queued).collect()
}
