//! The job: how the parts are wired, and what its outcome means.

use std::sync::Arc;

use echodesk_core::{Clock, StopToken};
use echodesk_job::{
    CommonArgs, Job, JobContext, JobError, JobReport, Needs, ProgressWords, Settings, SettingsError, mail,
};
use echodesk_mail::attachments::NullStore;
use echodesk_mail::credential::CredentialKeys;
use echodesk_mail::ports::{AttachmentStore, MailServer, Scope};
use echodesk_mail::sync::{SyncOptions, SyncReport, SyncWorld, TenantOutcome, sync_all};

use crate::cli::SyncEmails;
use crate::observer::Watch;
use crate::summary;

/// Flags and settings, checked, and what could be built from them.
pub(crate) struct Plan {
    server: Arc<dyn MailServer>,
    attachments: Arc<dyn AttachmentStore>,
    keys: CredentialKeys,
    options: SyncOptions,
    /// The database as logs show it, without its password.
    database: String,
}

impl Job for SyncEmails {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const NEEDS: Needs = Needs::Mail;
    const PROGRESS: ProgressWords = ProgressWords::Items { items: "mailboxes", parts: "messages" };
    type Plan = Plan;

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn plan(&self, settings: &Settings, clock: &Arc<dyn Clock>, stop: &StopToken) -> Result<Plan, SettingsError> {
        let server = Arc::new(self.mail.server(settings, Arc::clone(clock))?.with_stop(stop.clone()));
        // A dry run shows what a run would do, so it refuses the settings that a run would refuse.
        let attachments = self.mail.attachments(settings)?;
        let attachments: Arc<dyn AttachmentStore> = if self.common.dry_run {
            Arc::new(NullStore)
        } else {
            attachments.build().map_err(|error| SettingsError::wrong("ECHODESK_ATTACHMENTS", error))?
        };
        let keys = mail::credential_keys(&settings.environment);
        let database = settings.database.to_string();
        Ok(Plan { server, attachments, keys, options: self.options(), database })
    }

    async fn work(plan: Plan, context: JobContext) -> Result<JobReport, JobError> {
        let scope = context.tenant.map_or(Scope::AllActive, |tenant| Scope::One(tenant.schema));
        let world = SyncWorld {
            store: Arc::new(context.store),
            server: plan.server,
            attachments: plan.attachments,
            keys: plan.keys,
            clock: context.clock,
            stop: context.stop,
            run: context.run,
            observer: Arc::new(Watch { progress: context.progress, database: plan.database, dry_run: context.dry_run }),
        };
        let report = sync_all(world, scope, plan.options).await?;
        conclude(&report)
    }
}

fn conclude(report: &SyncReport) -> Result<JobReport, JobError> {
    let json = |result: serde_json::Result<serde_json::Value>| {
        result.map_err(|error| JobError::System { what: "express the report as JSON", source: error.into() })
    };
    Ok(JobReport {
        report: json(serde_json::to_value(report))?,
        record: json(serde_json::to_value(&report.totals))?,
        items: None,
        summary: summary::render(report),
        failed: failed(report),
        stopped: report.stopped,
        try_again: report.database_away,
    })
}

/// Whether anything is left undone that the next run will not do by itself. A message that is stored
/// reduced is stored; a mailbox that is read in part is continued.
fn failed(report: &SyncReport) -> bool {
    let tenant_failed = report.tenants.iter().any(|note| note.outcome == TenantOutcome::Failed);
    report.totals.failed > 0 || report.totals.messages.failed > 0 || tenant_failed
}

#[cfg(test)]
mod tests {
    use echodesk_mail::sync::{TenantNote, Totals};

    use super::*;
    use crate::summary::tests::empty;

    #[test]
    fn a_failure_of_any_size_is_a_failure() {
        let note = |outcome| TenantNote { tenant: "acme".to_owned(), outcome, message: String::new() };
        let with = |change: &dyn Fn(&mut SyncReport)| {
            let mut report = empty();
            change(&mut report);
            failed(&report)
        };
        assert!(!with(&|_| ()));
        assert!(with(&|report| report.totals.failed = 1));
        assert!(with(&|report| report.totals.messages.failed = 1));
        assert!(with(&|report| report.tenants.push(note(TenantOutcome::Failed))));
        assert!(!with(&|report| report.tenants.push(note(TenantOutcome::Inactive))));
        assert!(!with(&|report| {
            report.totals = Totals { mailboxes: 3, partial: 1, skipped: 1, synced: 1, ..Totals::default() };
            report.totals.messages.reduced = 4;
        }));
    }

    #[test]
    fn the_record_of_the_run_is_the_totals() {
        let mut report = empty();
        report.totals.messages.stored = 5;
        let done = conclude(&report).unwrap();
        assert_eq!(done.record["stored"], 5);
        assert_eq!(done.report["totals"]["stored"], 5);
    }
}
