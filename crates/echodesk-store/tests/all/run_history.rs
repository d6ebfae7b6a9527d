//! Runs as they are looked back on.

use echodesk_core::RunId;
use echodesk_store::{JobHealth, NewRun, RunFilter};
use jiff::{SignedDuration, Timestamp};

use crate::world::{World, now, on_both};

fn days(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

/// A run that began so many days from now and ended a minute later, if it has ended.
fn run(world: &World, job: &str, day: i64, tenant: Option<&str>, code: Option<i32>) -> RunId {
    let run = NewRun {
        id: RunId::random(),
        job,
        host: "h".to_owned(),
        version: "1",
        arguments: String::new(),
        tenant: tenant.map(|schema| schema.parse().unwrap()),
        started_at: days(day),
    };
    world.store.begin_run(&run).unwrap();
    if let Some(code) = code {
        let end = days(day) + SignedDuration::from_mins(1);
        world.store.finish_run(run.id, job, end, code, &serde_json::json!({ "stored": 1 })).unwrap();
    }
    run.id
}

on_both! {
    fn runs_are_listed_by_job_and_by_how_they_ended_the_newest_first(world) {
        let well = run(world, "sync-emails", 0, None, Some(0));
        let badly = run(world, "sync-emails", 1, Some("acme"), Some(1));
        let open = run(world, "recurring-payments", 2, None, None);
        let list = |job, failed, limit| -> Vec<RunId> {
            world.store.runs(&RunFilter { job, failed, limit }).unwrap().into_iter().map(|run| run.id).collect()
        };
        assert_eq!(list(None, false, 9), [open, badly, well]);
        assert_eq!(list(None, false, 1), [open]);
        assert_eq!(list(None, true, 9), [open, badly]);
        assert_eq!(list(Some("sync-emails"), true, 9), [badly]);
        let entry = &world.store.runs(&RunFilter { job: Some("sync-emails"), failed: true, limit: 9 }).unwrap()[0];
        assert_eq!((entry.tenant.as_deref(), entry.exit_code), (Some("acme"), Some(1)));
        assert_eq!(entry.finished_at, Some(days(1) + SignedDuration::from_mins(1)));
        assert_eq!(entry.summary, Some(serde_json::json!({ "stored": 1 })));
    }
}

on_both! {
    fn the_health_of_a_job_is_that_of_its_runs_for_all(world) {
        assert_eq!(world.store.job_health().unwrap(), []);
        run(world, "sync-emails", 0, None, Some(0));
        run(world, "sync-emails", 1, None, Some(75));
        run(world, "sync-emails", 2, Some("acme"), Some(0));
        run(world, "sync-emails", 3, None, None);
        run(world, "recurring-payments", 4, Some("acme"), Some(0));
        // Refused for its settings, as on an installation without a bank.
        run(world, "subscription-status", 5, None, Some(2));
        let minute = SignedDuration::from_mins(1);
        assert_eq!(world.store.job_health().unwrap(), [JobHealth {
            job: "sync-emails".to_owned(),
            last_end: Some((days(1) + minute, 75)),
            last_start: days(3),
            last_success: Some(days(0) + minute),
            first_start: days(0),
        }]);
    }
}

on_both! {
    fn runs_are_forgotten_after_ninety_days_but_for_the_last_success(world) {
        run(world, "sync-emails", -200, None, Some(0));
        let success = run(world, "sync-emails", -199, None, Some(0));
        run(world, "sync-emails", -150, None, Some(1));
        let other = run(world, "recurring-payments", -150, None, Some(1));
        let recent = run(world, "sync-emails", -80, None, Some(1));
        let last = run(world, "sync-emails", 0, None, Some(1));
        let left: Vec<RunId> =
            world.store.runs(&RunFilter { limit: 9, ..RunFilter::default() }).unwrap().into_iter().map(|run| run.id).collect();
        assert_eq!(left, [last, recent, other, success]);
    }
}
