//! Charges that are written down only once the bank has answered.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_billing::model::{Attempt, Charge, OrderId};
use echodesk_billing::ports::{BillingStore, Claim, NewAttempt, Prepared};
use echodesk_core::{AttemptId, StoreError, StoreErrorKind};
use uuid::Uuid;

/// Those of a process, by the ids that they have meanwhile, which are less than nothing.
#[derive(Default)]
pub(super) struct Unwritten {
    charges: Mutex<BTreeMap<AttemptId, Put>>,
}

enum Put {
    Off { charge: Box<Charge>, order: OrderId, key: Uuid, claim: Claim },
    Down(AttemptId),
}

impl Unwritten {
    /// As if it was written down.
    pub(super) fn put_off(&self, new: &NewAttempt<'_>) -> Attempt {
        let (mut charges, charge) = (self.lock(), new.charge.clone());
        let id = AttemptId(-1 - i64::try_from(charges.len()).unwrap_or(0));
        let attempt = new.written(id);
        charges.insert(
            id,
            Put::Off { charge: Box::new(charge), order: new.order.clone(), key: new.key, claim: new.claim },
        );
        attempt
    }

    /// Writes a charge down that is not yet; its id from then on.
    pub(super) fn write(&self, id: AttemptId, store: &dyn BillingStore) -> Result<AttemptId, StoreError> {
        let found = self.lock().remove(&id);
        let down = match found {
            None => return Ok(id),
            Some(Put::Down(down)) => down,
            Some(Put::Off { charge, order, key, claim }) => {
                match store.prepare(&NewAttempt { charge: &charge, order, key, claim })? {
                    Prepared::Written(attempt) => attempt.id,
                    Prepared::Changed => return Err(nowhere(id)),
                }
            }
        };
        self.lock().insert(id, Put::Down(down));
        Ok(down)
    }

    /// Those of some that are written down.
    pub(super) fn written(&self, ids: &[AttemptId]) -> Vec<AttemptId> {
        let charges = self.lock();
        let written = |id: &AttemptId| match charges.get(id) {
            None => Some(*id),
            Some(Put::Down(down)) => Some(*down),
            Some(Put::Off { .. }) => None,
        };
        ids.iter().filter_map(written).filter(|id| id.0 > 0).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AttemptId, Put>> {
        self.charges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nowhere(id: AttemptId) -> StoreError {
    StoreError { kind: StoreErrorKind::Other, what: format!("charge {id} cannot be written down"), source: None }
}
