//! `echodesk migrate`.

use echodesk_job::tenant;
use echodesk_mail::ports::StoreErrorKind;
use echodesk_store::{Access, MigrationOutcome, MigrationReport, Store};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::MigrateArgs;
use crate::command::World;
use crate::error::CommandError;

pub(crate) fn run(world: &World, args: &MigrateArgs) -> Result<Answer, CommandError> {
    let store = Store::open(&world.settings.database, Access::ReadWrite)?;
    match (store.migrate(args.tenant.as_ref()), &args.tenant) {
        (Ok(report), only) => Ok(answer(args.json, only.is_some(), &report)),
        // The same error as everywhere, with the names that may have been meant.
        (Err(error), Some(schema)) if error.kind == StoreErrorKind::UnknownTenant => {
            tenant::find(&store, schema)?;
            Err(error.into())
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// A tenant that EchoDesk has not made yet is passed over among others; who named it wanted it migrated.
fn answer(as_json: bool, one_named: bool, report: &MigrationReport) -> Answer {
    let tenants = report.tenants.iter().map(|tenant| (tenant.schema.as_str(), &tenant.outcome));
    let places: Vec<(&str, &MigrationOutcome)> = std::iter::once(("public", &report.public)).chain(tenants).collect();
    let rows: Vec<Value> = places.iter().map(|(place, outcome)| as_row(place, outcome)).collect();
    let failed = places.iter().any(|(_, outcome)| match outcome {
        MigrationOutcome::Failed(_) => true,
        MigrationOutcome::Skipped(_) => one_named,
        MigrationOutcome::Migrated { .. } | MigrationOutcome::UpToDate => false,
    });
    let text = || places.iter().map(|(place, outcome)| format!("{place}: {}\n", described(outcome))).collect();
    Answer::list(as_json, &rows, text).failed_if(failed)
}

fn described(outcome: &MigrationOutcome) -> String {
    match outcome {
        MigrationOutcome::Migrated { applied } => format!("migrated ({})", applied.join(", ")),
        MigrationOutcome::UpToDate => "up to date".to_owned(),
        MigrationOutcome::Skipped(reason) => format!("skipped: {reason}"),
        MigrationOutcome::Failed(reason) => format!("FAILED: {reason}"),
    }
}

fn as_row(place: &str, outcome: &MigrationOutcome) -> Value {
    let none: &[String] = &[];
    let (outcome, applied, reason) = match outcome {
        MigrationOutcome::Migrated { applied } => ("migrated", applied.as_slice(), None),
        MigrationOutcome::UpToDate => ("up_to_date", none, None),
        MigrationOutcome::Skipped(reason) => ("skipped", none, Some(reason.to_string())),
        MigrationOutcome::Failed(reason) => ("failed", none, Some(reason.clone())),
    };
    json!({ "schema": place, "outcome": outcome, "applied": applied, "reason": reason })
}

#[cfg(test)]
mod tests {
    use echodesk_job::ExitStatus;
    use echodesk_mail::ports::TenantProblem;
    use echodesk_store::TenantMigration;

    use super::*;

    fn report(last: MigrationOutcome) -> MigrationReport {
        let tenant = |schema: &str, outcome| TenantMigration { schema: schema.to_owned(), outcome };
        MigrationReport {
            public: MigrationOutcome::Migrated { applied: vec!["create_runs".to_owned(), "create_leases".to_owned()] },
            tenants: vec![
                tenant("acme", MigrationOutcome::UpToDate),
                tenant("ghost", MigrationOutcome::Skipped(TenantProblem::SchemaMissing { schema: "ghost".to_owned() })),
                tenant("last", last),
            ],
        }
    }

    #[test]
    fn every_place_has_its_line() {
        let answer = answer(false, false, &report(MigrationOutcome::UpToDate));
        assert_eq!(
            answer.text,
            "public: migrated (create_runs, create_leases)\n\
             acme: up to date\n\
             ghost: skipped: schema ghost does not exist\n\
             last: up to date\n"
        );
        assert_eq!(answer.status, ExitStatus::Done);
    }

    #[test]
    fn one_failure_is_a_failure() {
        let answer = answer(true, false, &report(MigrationOutcome::Failed("permission denied".to_owned())));
        assert_eq!(answer.status, ExitStatus::DoneWithFailures);
        let rows: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(rows[3]["outcome"], "failed");
        assert_eq!(rows[3]["reason"], "permission denied");
        assert_eq!(rows[0]["applied"][1], "create_leases");
    }

    #[test]
    fn a_tenant_that_was_named_and_skipped_is_a_failure() {
        assert_eq!(answer(false, true, &report(MigrationOutcome::UpToDate)).status, ExitStatus::DoneWithFailures);
    }
}
