//! A database that goes away.

use echodesk_core::{NoticeId, StoreErrorKind};

use super::*;
use crate::ports::{Claim, Page};

/// Refuses to write fates down so many times.
struct Stumbling {
    inner: Arc<MemoryOutbox>,
    stumbles: Mutex<u32>,
    kind: StoreErrorKind,
}

impl Outbox for Stumbling {
    fn claim(&self, claim: &Claim, tenant: Option<TenantId>, limit: usize) -> Result<Page, StoreError> {
        self.inner.claim(claim, tenant, limit)
    }

    fn look_again(&self, run: RunId, id: NoticeId, now: jiff::Timestamp) -> Result<Option<Queued>, StoreError> {
        self.inner.look_again(run, id, now)
    }

    fn record(&self, run: RunId, fates: &[(NoticeId, Fate)], now: jiff::Timestamp) -> Result<(), StoreError> {
        let mut left = self.stumbles.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return Err(StoreError { kind: self.kind, what: "stumbled".to_owned(), source: None });
        }
        self.inner.record(run, fates, now)
    }

    fn release(&self, run: RunId) -> Result<(), StoreError> {
        self.inner.release(run)
    }

    fn waiting(&self, tenant: Option<TenantId>) -> Result<Waiting, StoreError> {
        self.inner.waiting(tenant)
    }
}

async fn stumbling(scene: &Scene, stumbles: u32, kind: StoreErrorKind) -> Result<DeliveryReport, StoreError> {
    let outbox = Stumbling { inner: Arc::clone(&scene.outbox), stumbles: Mutex::new(stumbles), kind };
    let world = DeliveryWorld { outbox: Arc::new(outbox), ..scene.world() };
    deliver(world, scene.options.clone()).await
}

#[tokio::test(start_paused = true)]
async fn a_moments_absence_is_waited_out() {
    let scene = Scene::new(notices(10), ScriptedTransport::willing());
    let report = stumbling(&scene, 3, StoreErrorKind::Unavailable).await.unwrap();
    assert_eq!(report, DeliveryReport { delivered: 10, ..DeliveryReport::default() });
    assert_eq!(scene.transport.taken().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_longer_one_ends_the_run_and_repeats_are_recognisable() {
    let scene = Scene::new(notices(2000), ScriptedTransport::willing());
    let report = stumbling(&scene, 4, StoreErrorKind::Unavailable).await.unwrap();
    assert!(report.database_away, "{report:?}");
    assert_eq!(report.delivered, 0, "only what was written down counts");
    let sent_in_vain = scene.transport.taken().len();
    assert!((1..1000).contains(&sent_in_vain), "it went on for {sent_in_vain} mails");
    scene.deliver().await;
    assert_eq!(scene.states(), BTreeMap::from([("sent", 2000)]));
    let mut ids = BTreeMap::new();
    for mail in scene.transport.taken() {
        *ids.entry(mail.message_id).or_insert(0) += 1;
    }
    assert_eq!(ids.len(), 2000, "a repeat has the same Message-ID");
    assert_eq!(ids.values().filter(|times| **times == 2).count(), sent_in_vain);
}

#[tokio::test]
async fn one_that_refuses_is_an_error_and_nothing_stays_claimed() {
    let scene = Scene::new(notices(10), ScriptedTransport::willing());
    let error = stumbling(&scene, 1, StoreErrorKind::Other).await.unwrap_err();
    assert_eq!((error.kind, error.what.as_str()), (StoreErrorKind::Other, "stumbled"));
    scene.assert_no_claims();
}

#[tokio::test]
async fn one_that_is_away_from_the_beginning_is_no_error() {
    let scene = Scene::new(notices(10), ScriptedTransport::willing());
    scene.outbox.set_away(true);
    assert_eq!(scene.deliver().await, DeliveryReport { database_away: true, ..DeliveryReport::default() });
    assert_eq!(scene.transport.connections(), 0);
}

/// Closes notices while it is asked for a page.
struct Closing(Arc<MemoryOutbox>);

impl Outbox for Closing {
    fn claim(&self, claim: &Claim, tenant: Option<TenantId>, limit: usize) -> Result<Page, StoreError> {
        let page = self.0.claim(claim, tenant, limit)?;
        let (parked, withdrawn) = if page.notices.is_empty() { (1, 0) } else { (2, 3) };
        Ok(Page { parked, withdrawn, ..page })
    }

    fn look_again(&self, run: RunId, id: NoticeId, now: jiff::Timestamp) -> Result<Option<Queued>, StoreError> {
        self.0.look_again(run, id, now)
    }

    fn record(&self, run: RunId, fates: &[(NoticeId, Fate)], now: jiff::Timestamp) -> Result<(), StoreError> {
        self.0.record(run, fates, now)
    }

    fn release(&self, run: RunId) -> Result<(), StoreError> {
        self.0.release(run)
    }

    fn waiting(&self, tenant: Option<TenantId>) -> Result<Waiting, StoreError> {
        self.0.waiting(tenant)
    }
}

#[tokio::test]
async fn what_claiming_closes_counts() {
    let scene = Scene::new(notices(4), ScriptedTransport::willing());
    let world = DeliveryWorld { outbox: Arc::new(Closing(Arc::clone(&scene.outbox))), ..scene.world() };
    let report = deliver(world, scene.options.clone()).await.unwrap();
    assert_eq!(report, DeliveryReport { delivered: 4, parked: 3, withdrawn: 3, ..DeliveryReport::default() });
    assert!(report.has_failures());
}
