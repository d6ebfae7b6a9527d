//! Suspending, and what keeps a run from it.

use super::world::{Place, StatusWorld, everywhere, extension};
use crate::payments::world::eventually;
use crate::support::{Backend, Held};

everywhere!(
    a_payment_between_judging_and_suspending_wins,
    a_payment_in_grace_withdraws_the_warning_and_nobody_is_suspended,
    what_echodesk_has_booked_lifts_the_suspension,
    two_hosts_at_once_tell_each_once,
    those_that_pay_otherwise_or_nothing_are_left_alone,
);

const EXPIRES: &str = "2027-03-10T12:00:00Z";
const PAID: &str = "2027-04-09T12:00:00Z";

/// On PostgreSQL the payment's transaction holds the row until the run waits for it. The embedded database has one
/// writer: there the payment is made by the warning that is queued after all are judged.
fn a_payment_between_judging_and_suspending_wins(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    world.subscribe("bell", "en", EXPIRES);
    world.subscribe("cola", "en", "2027-03-16T12:00:00Z");
    let ran = match world.world.backend() {
        Backend::Sqlite => {
            let pay = extension("bell", PAID);
            world.world.execute(&format!(
                "CREATE TRIGGER pay AFTER INSERT ON echodesk_notice WHEN NEW.kind = 'grace_warning' BEGIN {pay}; END"
            ));
            world.run("2027-03-18")
        }
        Backend::Postgres => {
            let mut payment: Held = world.world.begin();
            payment.execute(&extension("bell", PAID));
            let run = world.start("2027-03-18", &[]);
            let waiting = "SELECT CAST(pid AS text) AS value FROM pg_stat_activity \
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            eventually("the run waits for the row", || !world.world.public_texts(waiting).is_empty());
            payment.commit();
            run.end()
        }
    };
    let ran = ran.with_code(0);
    assert_eq!((ran.outcome("bell"), ran.outcome("cola")), ("changed", "warned"), "{ran:#?}");
    assert!(world.is_active("bell"));
    assert_eq!((world.events("bell"), world.mails.count()), (Vec::new(), 1), "the warning for cola only");
    assert_eq!(world.day("2027-03-19"), ["cola grace_warning 4"]);
}

fn a_payment_in_grace_withdraws_the_warning_and_nobody_is_suspended(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    world.subscribe("bell", "en", EXPIRES);
    assert_eq!(world.day("2027-03-12"), ["bell grace_warning 5"]);
    world.mails.set_away(true);
    let _ = world.run("2027-03-13").with_code(1);
    world.extend("bell", PAID);
    world.mails.set_away(false);
    assert_eq!(world.day("2027-03-13T10:00:00Z"), [""; 0]);
    assert_eq!(world.ledger(), ["bell grace_warning sent", "bell grace_warning withdrawn"]);
    assert_eq!(world.day("2027-03-20"), [""; 0]);
    assert!(world.is_active("bell"));
    assert_eq!(world.day("2027-04-02"), ["bell reminder 7"], "a new period is told of anew");
}

fn what_echodesk_has_booked_lifts_the_suspension(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    world.subscribe("bell", "ka", EXPIRES);
    assert_eq!(world.day("2027-03-18"), ["bell suspended"]);
    assert_eq!(world.day("2027-03-19"), [""; 0], "it stands");
    world.extend("bell", PAID);
    let ran = world.run("2027-03-20").with_code(0);
    assert_eq!((ran.outcome("bell"), ran.total("reactivated")), ("reactivated", 1), "{ran:#?}");
    assert!(world.is_active("bell"));
    assert_eq!(world.events("bell"), ["suspended", "reactivated"]);
    assert_eq!(world.ledger(), ["bell suspended sent", "bell reactivated sent"]);
    assert_eq!(world.day("2027-03-21"), [""; 0]);
    // It may happen again.
    assert_eq!(world.day("2027-04-17"), ["bell suspended"]);
    assert_eq!(world.events("bell"), ["suspended", "reactivated", "suspended"]);

    // Whom somebody else has suspended is nobody that we make active.
    world.subscribe("cola", "en", "2027-06-01");
    world.world.execute("UPDATE tenants_tenant SET is_active = false WHERE schema_name = 'cola'");
    world.world.execute(
        "UPDATE tenants_tenant_subscription SET is_active = false \
         WHERE tenant_id = (SELECT id FROM tenants_tenant WHERE schema_name = 'cola')",
    );
    assert_eq!(world.day("2027-04-18"), [""; 0]);
    assert!(!world.is_active("cola"));
}

fn two_hosts_at_once_tell_each_once(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    let tenants: Vec<String> = (10..30).map(|number| format!("t{number}")).collect();
    for (number, tenant) in tenants.iter().enumerate() {
        let expires = ["2027-03-25", "2027-03-20", "2027-03-15", "2027-03-05"][number % 4];
        world.subscribe(tenant, "en", expires);
    }
    let hosts: Vec<_> = (0..3).map(|_| world.start("2027-03-18", &[])).collect();
    let (mut suspended, mut told) = (0, 0);
    for host in hosts {
        let ran = host.end().with_code(0);
        suspended += ran.total("suspended");
        told += ran.total("reminders") + ran.total("urgent") + ran.total("warned");
    }
    assert_eq!((suspended, told), (5, 15), "the work is shared");
    let mails = super::world::told(&world.mails.mails());
    let expected: Vec<String> = tenants
        .iter()
        .enumerate()
        .map(|(number, tenant)| {
            let notice = ["reminder 7", "urgent_reminder 2", "grace_warning 4", "suspended"][number % 4];
            format!("{tenant} {notice}")
        })
        .collect();
    assert_eq!(mails, expected);
    for tenant in tenants.iter().skip(3).step_by(4) {
        assert_eq!(world.events(tenant), ["suspended"]);
    }
    assert_eq!(world.day("2027-03-18T10:00:00Z"), [""; 0]);
}

fn those_that_pay_otherwise_or_nothing_are_left_alone(place: Place) {
    let Some(mut world) = StatusWorld::new(place) else { return };
    for tenant in ["bell", "cola", "dona", "ever"] {
        world.subscribe(tenant, "en", EXPIRES);
    }
    world.set("ECHODESK_EXEMPT_TENANTS", "cola");
    world.world.execute("UPDATE tenants_tenant SET payment_provider = 'paddle' WHERE schema_name = 'bell'");
    world.world.execute(
        "UPDATE tenants_tenant_subscription SET expires_at = NULL \
         WHERE tenant_id = (SELECT id FROM tenants_tenant WHERE schema_name = 'ever')",
    );
    for day in ["2027-03-04", "2027-03-09", "2027-03-12", "2027-03-20"] {
        let ran = world.start(day, &["--exempt", "dona"]).end().with_code(0);
        assert_eq!((ran.total("suspended"), world.mails.count()), (0, 0), "{day}: {ran:#?}");
    }
    let ran = world.start("2027-03-20", &["--exempt", "nobody"]).end().with_code(2);
    assert!(ran.ended.stderr.contains("nobody"), "{ran:#?}");
    // No longer exempt.
    world.set("ECHODESK_EXEMPT_TENANTS", "");
    assert_eq!(world.day("2027-03-20"), ["cola suspended", "dona suspended"]);
    assert!(world.is_active("bell") && world.is_active("ever"));

    // More patience, and less.
    world.subscribe("fern", "en", EXPIRES);
    let ran = world.start("2027-03-22", &["--grace-days", "14"]).end().with_code(0);
    assert_eq!(ran.outcome("fern"), "warned", "{ran:#?}");
    let ran = world.start("2027-03-22T10:00:00Z", &["--grace-days", "0"]).end().with_code(0);
    assert_eq!(ran.outcome("fern"), "suspended", "{ran:#?}");
}
