//! After every write: what the ledger holds of notices.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use echodesk_core::notice::NoticeKind;
use echodesk_core::{NoticeId, RunId, TenantId};
use echodesk_notify::ports::{Fate, Queued};

use crate::invariants::truth::{Truth, truth};
use crate::process::Process;
use crate::violation::Invariant;
use crate::world::World;
use crate::world::accounts::Payer;
use crate::world::notices::{Notice, Occurrence};
use crate::world::post_office::Look;

/// A new row.
#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    tenant: i64,
    #[diesel(sql_type = Text)]
    subject_key: String,
    #[diesel(sql_type = Text)]
    period: String,
    #[diesel(sql_type = Text)]
    payload: String,
}

/// Where a row stands.
#[derive(Debug, QueryableByName)]
struct Standing {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    state: String,
}

impl World {
    /// Rows that were added since: each tells of something that no other tells of.
    pub(crate) fn check_new_notices(&self) {
        let rows: Vec<Row> = self.database.rows(&format!(
            "SELECT id, CAST(tenant_id AS bigint) AS tenant, subject_key, period, CAST(payload AS text) AS payload \
             FROM echodesk_notice WHERE id > {} ORDER BY id",
            self.notices.last()
        ));
        for row in rows {
            self.check_new_notice(&row);
        }
    }

    fn check_new_notice(&self, row: &Row) {
        let tenant = self.accounts.of_tenant(TenantId(row.tenant));
        let (Some(tenant), Ok(kind)) = (tenant, serde_json::from_str::<NoticeKind>(&row.payload)) else {
            return self.violated(Invariant::ExactNotices, tenant, format!("a notice that cannot be read: {row:?}"));
        };
        let suspensions = self.accounts.read(tenant, |account| account.suspension_notices);
        let occurrence = Occurrence::of(&kind, &row.subject_key, &row.period, suspensions);
        self.accounts.notice_is_of(NoticeId(row.id), tenant);
        self.trace.note(tenant, format_args!("queued: {occurrence:?}"));
        self.count(|counts| counts.notices += 1);
        let notice = Notice { tenant, kind, occurrence };
        if !self.notices.add(NoticeId(row.id), notice.clone()) {
            let what = format!("there is a second notice of {:?}", notice.occurrence);
            self.violated(Invariant::ExactNotices, tenant, what);
        }
    }

    /// A run has just read notices: so things stand now.
    pub(crate) fn notices_looked_at(&self, process: &Process, found: &[Queued]) {
        let clock_wrong_by = process.clock.wrong_by();
        for queued in found {
            let Some(tenant) = self.accounts.of_tenant(queued.tenant.id) else { continue };
            let account = self.accounts.read(tenant, Clone::clone);
            let is_ours = |order: &str| Payer::of(order) == Payer::Renewal;
            let undecided = self
                .bank
                .undecided(tenant)
                .iter()
                .filter_map(|id| self.bank.order(id))
                .any(|order| is_ours(&order.external));
            let unsettled = undecided || account.unbooked().any(|capture| capture.payer == Payer::Renewal);
            let mailbox_off =
                self.mail.of_subject(tenant, &queued.subject_key).map(|mailbox| mailbox.off_since.is_some());
            let look = Look { at: self.time.now(), clock_wrong_by, account, unsettled, mailbox_off };
            self.post_office.look(process.run, queued.id, look);
        }
    }

    /// What became of notices is written down: nothing is given up that was true.
    pub(crate) fn fates_recorded(&self, run: RunId, fates: &[(NoticeId, Fate)]) {
        for (id, fate) in fates {
            let look = self.post_office.looked(run, *id);
            self.post_office.forget(run, *id);
            if matches!(fate, Fate::Sent { .. }) {
                self.post_office.write(*id);
            }
            if let (Fate::Withdrawn { why }, Some(look), Some(notice)) = (fate, look, self.notices.get(*id))
                && truth(&notice, &look, &self.billing_zone) == Truth::Holds
            {
                let what = format!("it was withdrawn although it holds, with the words {why:?}: {notice:?}");
                self.violated(Invariant::ExactNotices, notice.tenant, what);
            }
        }
        let ids: Vec<NoticeId> = fates.iter().map(|(id, _)| *id).collect();
        self.check_fates_of(&ids);
    }

    /// Nothing is marked as sent that the mail server has not taken.
    pub(crate) fn check_fates(&self) {
        self.check_fates_of(&self.notices.open());
    }

    fn check_fates_of(&self, ids: &[NoticeId]) {
        let open: Vec<String> = ids.iter().filter(|id| self.notices.is_open(**id)).map(ToString::to_string).collect();
        if open.is_empty() {
            return;
        }
        let closed: Vec<Standing> = self.database.rows(&format!(
            "SELECT id, state FROM echodesk_notice WHERE state IN ('sent', 'withdrawn') AND id IN ({}) ORDER BY id",
            open.join(", ")
        ));
        for Standing { id, state } in closed {
            let id = NoticeId(id);
            self.notices.close(id);
            let notice = self.notices.get(id).filter(|_| state == "sent" && self.post_office.last(id).is_none());
            if let Some(notice) = notice {
                let what = format!("it is marked as sent and was not: {:?}", notice.occurrence);
                self.violated(Invariant::ExactNotices, notice.tenant, what);
            }
        }
    }
}
