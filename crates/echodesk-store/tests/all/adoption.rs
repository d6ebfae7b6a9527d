//! Taking over the tables of an EchoDesk installation without altering anything of them.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use echodesk_billing::model::BankOrderId;
use echodesk_billing::{Currency, Money};
use echodesk_core::{ConnectionId, DatabaseUrl};
use echodesk_mail::model::{Fate, MailboxKey};
use echodesk_mail::ports::{MailStore, Scope, StoreErrorKind, TenantProblem};
use echodesk_store::{Access, MigrationOutcome, NewSubscription, Severity, Store};

use crate::world::{
    as_user, batch, empty_database, find, item, message, new_mailbox, now, of_message, postgres, schema, take, tenant,
};

const PUBLIC: &str = include_str!("../../../../tests/fixtures/echodesk.sql");
const TENANT: &str = include_str!("../../../../tests/fixtures/echodesk_tenant.sql");

/// An installation with tenants of every kind.
struct Installation {
    url: DatabaseUrl,
    connection: PgConnection,
}

impl Installation {
    /// `None` where PostgreSQL is not installed.
    fn new() -> Option<Self> {
        let url = empty_database()?;
        let mut connection = postgres(&url);
        connection.batch_execute(PUBLIC).unwrap();
        let mut this = Self { url, connection };
        for (name, active) in [("good", true), ("narrow", true), ("missing", true), ("bare", true), ("asleep", false)] {
            this.add_row(name, active);
        }
        this.add_row("public", true);
        this.add_row("bad name", true);
        for name in ["good", "narrow", "asleep"] {
            this.make_schema(name);
        }
        // EchoDesk made the schema and has not migrated it.
        this.connection.batch_execute("CREATE SCHEMA bare").unwrap();
        this.execute(
            "ALTER TABLE narrow.social_integrations_emailmessage ALTER subject TYPE varchar(60), \
               ALTER folder TYPE varchar(7), ALTER from_name TYPE varchar(300); \
             ALTER TABLE narrow.social_integrations_emailconnection ALTER last_sync_error TYPE varchar(80)",
        );
        Some(this)
    }

    fn add_row(&mut self, name: &str, active: bool) {
        let row = format!(
            "INSERT INTO tenants_tenant (domain_url, schema_name, name, description, created_on, is_active, admin_email, \
               admin_name, plan, max_users, max_storage, preferred_language, deployment_status, min_users_per_ticket, \
               only_superadmin_can_delete_tickets, ip_whitelist_enabled, superadmin_bypass_whitelist, payment_provider) \
             VALUES ('{name}.example', '{name}', '{name}', '', now(), {active}, 'a@x', 'A', 'basic', 10, 1, 'en', \
               'deployed', 0, false, false, true, 'bog')"
        );
        self.execute(&row);
    }

    fn make_schema(&mut self, name: &str) {
        self.execute(&format!("CREATE SCHEMA {name}; SET search_path TO {name}; {TENANT} SET search_path TO public;"));
    }

    fn execute(&mut self, sql: &str) {
        self.connection.batch_execute(sql).unwrap();
    }

    fn select(&mut self, sql: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            row: String,
        }
        diesel::sql_query(sql).load::<Row>(&mut self.connection).unwrap().into_iter().map(|row| row.row).collect()
    }

    /// Everything the catalog knows of tables that are not ours: columns, constraints, indexes,
    /// triggers, storage, options, and what Django has written down.
    fn of_echodesk(&mut self) -> Vec<String> {
        self.select(
            "WITH theirs AS (\
               SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relkind, c.reloptions FROM pg_class c \
               JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' \
                 AND c.relname NOT LIKE 'echodesk\\_%' AND c.relname NOT LIKE '\\_\\_diesel%') \
             SELECT row FROM (\
               SELECT format('%s %s %s', name, relkind, reloptions) AS row FROM theirs \
               UNION ALL SELECT format('%s column %s %s %s %s %s %s %s', name, attnum, attname, \
                   format_type(atttypid, atttypmod), attnotnull, atthasdef, attstorage, attcompression) \
                 FROM theirs JOIN pg_attribute ON attrelid = oid \
               UNION ALL SELECT format('%s constraint %s %s', name, conname, pg_get_constraintdef(k.oid)) \
                 FROM theirs JOIN pg_constraint k ON conrelid = theirs.oid \
               UNION ALL SELECT format('%s index %s', name, pg_get_indexdef(indexrelid)) \
                 FROM theirs JOIN pg_index ON indrelid = oid \
               UNION ALL SELECT format('%s trigger %s', name, tgname) FROM theirs JOIN pg_trigger ON tgrelid = theirs.oid \
               UNION ALL SELECT format('django %s', m) FROM public.django_migrations m \
               UNION ALL SELECT format('django %s', m) FROM good.django_migrations m) everything ORDER BY row",
        )
    }

    fn open(&self) -> Store {
        Store::open(&self.url, Access::ReadWrite).unwrap()
    }
}

fn outcome<'a>(report: &'a echodesk_store::MigrationReport, name: &str) -> &'a MigrationOutcome {
    &report.tenants.iter().find(|tenant| tenant.schema == name).unwrap().outcome
}

#[test]
fn migrating_alters_nothing_of_echodesks_and_skips_what_it_must_not_touch() {
    let Some(mut installation) = Installation::new() else { return };
    let before = installation.of_echodesk();
    assert!(before.len() > 500, "{}", before.len());
    let store = installation.open();

    let report = store.migrate(None).unwrap();
    assert!(matches!(&report.public, MigrationOutcome::Migrated { applied } if applied.len() == 6), "{report:?}");
    for name in ["good", "narrow", "asleep"] {
        assert!(matches!(outcome(&report, name), MigrationOutcome::Migrated { .. }), "{report:?}");
    }
    let missing = TenantProblem::SchemaMissing { schema: "missing".to_owned() };
    assert_eq!(*outcome(&report, "missing"), MigrationOutcome::Skipped(missing));
    let table = "social_integrations_emailconnection".to_owned();
    let bare = TenantProblem::NotMigrated { schema: "bare".to_owned(), table };
    assert_eq!(*outcome(&report, "bare"), MigrationOutcome::Skipped(bare));
    assert!(matches!(outcome(&report, "bad name"), MigrationOutcome::Skipped(TenantProblem::BadName(_))));
    assert_eq!(report.tenants.len(), 6, "public is nobody's: {report:?}");

    assert_eq!(before, installation.of_echodesk());
    let foreign_keys = "SELECT conname::text AS row FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
        JOIN pg_class t ON t.oid = k.confrelid WHERE c.relname LIKE 'echodesk%' AND t.relname NOT LIKE 'echodesk%'";
    assert!(installation.select(foreign_keys).is_empty());
    let in_bare = "SELECT relname::text AS row FROM pg_class WHERE relnamespace = 'bare'::regnamespace";
    assert!(installation.select(in_bare).is_empty());

    let again = store.migrate(None).unwrap();
    assert_eq!(again.public, MigrationOutcome::UpToDate);
    assert_eq!(*outcome(&again, "good"), MigrationOutcome::UpToDate);
    assert_eq!(store.migrate(Some(&schema("good"))).unwrap().tenants.len(), 1);
    assert_eq!(store.migrate(Some(&schema("nobody"))).unwrap_err().kind, StoreErrorKind::UnknownTenant);
}

#[test]
fn mail_is_stored_in_echodesks_own_tables_and_satisfies_every_not_null() {
    let Some(mut installation) = Installation::new() else { return };
    let store = installation.open();
    store.migrate(None).unwrap();
    let before = installation.of_echodesk();
    for name in ["good", "narrow"] {
        let connection = store.add_mailbox(&schema(name), &new_mailbox("info@x.example"), now()).unwrap();
        let key = MailboxKey { schema: schema(name), connection };
        let lease = take(&store, &key);
        let mut long = message("<a@x>", 1);
        long.subject = "s".repeat(900);
        let fates =
            store.store(&find(&store, &key), &lease, &batch("INBOX.Sub", 1, vec![of_message(1, long, 1)])).unwrap();
        assert_eq!(fates, [Fate::Stored]);
        // And the deferred foreign key holds, as the transaction has ended.
    }
    let rows = "SELECT length(subject) || ' ' || folder AS row FROM";
    assert_eq!(installation.select(&format!("{rows} good.social_integrations_emailmessage")), ["900 INBOX.Sub"]);
    assert_eq!(installation.select(&format!("{rows} narrow.social_integrations_emailmessage")), ["60 INBOX.S"]);
    assert_eq!(before, installation.of_echodesk());
    // EchoDesk adds a tenant through us as well.
    store.add_tenant(&tenant("fresh"), now()).unwrap();
    assert!(store.tenants(&Scope::One(schema("fresh"))).unwrap()[0].mailboxes.is_ok());
    assert_eq!(*outcome(&store.migrate(None).unwrap(), "fresh"), MigrationOutcome::UpToDate);
}

#[test]
fn each_tenants_trouble_is_its_own_and_lengths_are_its_own() {
    let Some(installation) = Installation::new() else { return };
    let store = installation.open();
    let before = store.tenants(&Scope::AllActive).unwrap();
    let good = before.iter().find(|tenant| tenant.tenant.schema.as_str() == "good").unwrap();
    assert!(matches!(&good.mailboxes, Err(TenantProblem::OwnTablesMissing { .. })), "{good:?}");

    store.migrate(None).unwrap();
    store.add_mailbox(&schema("good"), &new_mailbox("info@x.example"), now()).unwrap();
    let tenants = store.tenants(&Scope::AllActive).unwrap();
    let names: Vec<_> = tenants.iter().map(|tenant| tenant.tenant.schema.as_str()).collect();
    assert_eq!(names, ["bare", "good", "missing", "narrow", "unusable-name-of-tenant-7"]);
    let problem = |at: usize| tenants[at].mailboxes.as_ref().unwrap_err().clone();
    assert!(matches!(problem(0), TenantProblem::NotMigrated { .. }));
    assert_eq!(tenants[1].mailboxes.as_ref().unwrap().1.len(), 1);
    assert!(matches!(problem(2), TenantProblem::SchemaMissing { .. }));
    let (limits, mailboxes) = tenants[3].mailboxes.as_ref().unwrap();
    assert!(mailboxes.is_empty());
    assert_eq!((limits.subject, limits.folder, limits.from_name, limits.sync_error), (60, 7, 300, 80));
    assert!(matches!(problem(4), TenantProblem::BadName(why) if why.contains("\"bad name\"")));

    let asleep = store.tenants(&Scope::One(schema("asleep"))).unwrap();
    assert!(!asleep[0].tenant.is_active && asleep[0].mailboxes.is_ok());
    let unknown = store.tenants(&Scope::One(schema("nobody"))).unwrap_err();
    assert_eq!(unknown.kind, StoreErrorKind::UnknownTenant);
}

#[test]
fn a_column_that_we_cannot_fill_is_named_before_anything_is_written() {
    let Some(mut installation) = Installation::new() else { return };
    let store = installation.open();
    store.migrate(None).unwrap();
    installation.execute(
        "ALTER TABLE good.social_integrations_emailmessage ADD COLUMN ai_score integer NOT NULL; \
         ALTER TABLE good.social_integrations_emailmessage ADD COLUMN harmless integer NOT NULL DEFAULT 0; \
         ALTER TABLE narrow.social_integrations_emailconnection ADD COLUMN region text NOT NULL; \
         ALTER TABLE asleep.social_integrations_emailmessage DROP COLUMN labels",
    );
    let tenants = store.tenants(&Scope::AllActive).unwrap();
    let good = tenants.iter().find(|tenant| tenant.tenant.schema.as_str() == "good").unwrap();
    let want = TenantProblem::UnknownRequiredColumn {
        schema: "good".to_owned(),
        table: "social_integrations_emailmessage".to_owned(),
        column: "ai_score".to_owned(),
    };
    assert_eq!(*good.mailboxes.as_ref().unwrap_err(), want);
    let asleep = store.tenants(&Scope::One(schema("asleep"))).unwrap();
    assert!(matches!(
        asleep[0].mailboxes.as_ref().unwrap_err(),
        TenantProblem::ColumnMissing { column, .. } if column == "labels"
    ));

    let findings = store.inspect().unwrap();
    let of = |name: &str| findings.iter().filter(|f| f.schema == name).collect::<Vec<_>>();
    assert_eq!(of("good")[0].severity, Severity::Tenant);
    assert!(of("good")[0].problem.contains("good.social_integrations_emailmessage.ai_score"), "{findings:?}");
    assert_eq!(of("narrow")[0].severity, Severity::Warning);
    assert!(of("narrow")[0].problem.contains("emailconnection.region"), "{findings:?}");
    assert_eq!(of("public").len(), 0);
    assert!(of("missing").len() == 1 && of("bare").len() == 1 && of("bad name").len() == 1, "{findings:?}");

    let error = store.add_mailbox(&schema("narrow"), &new_mailbox("x@y"), now()).unwrap_err();
    assert!(error.to_string().contains("narrow.social_integrations_emailconnection.region"), "{error}");

    installation.execute(
        "ALTER TABLE tenants_tenant ADD COLUMN vat_id text; UPDATE tenants_tenant SET vat_id = ''; \
                          ALTER TABLE tenants_tenant ALTER vat_id SET NOT NULL",
    );
    let error = store.add_tenant(&tenant("late"), now()).unwrap_err();
    assert!(error.to_string().contains("public.tenants_tenant.vat_id"), "{error}");
    let warned = store.inspect().unwrap();
    assert!(warned.iter().any(|f| f.severity == Severity::Warning && f.problem.contains("tenants_tenant.vat_id")));
}

#[test]
fn echodesks_tables_are_ready_for_payments_and_take_a_subscription() {
    let Some(mut installation) = Installation::new() else { return };
    let store = installation.open();
    store.migrate(None).unwrap();
    let of_public = |store: &Store| {
        let findings = store.inspect().unwrap().into_iter();
        findings.filter(|finding| finding.schema == "public").map(|f| (f.severity, f.problem)).collect::<Vec<_>>()
    };
    assert_eq!(of_public(&store), []);
    let before = installation.of_echodesk();
    let good = store.tenants_list().unwrap().into_iter().find(|tenant| tenant.schema.as_str() == "good").unwrap();
    let gel = |amount: &str| Money::new(amount.parse().unwrap(), Currency::Gel).unwrap();
    let subscription = NewSubscription {
        tenant: good.id,
        expires_at: now(),
        agents: 5,
        price_per_agent: gel("10"),
        month: gel("50"),
        card: Some(BankOrderId("b-1".to_owned())),
    };
    store.add_subscription(&subscription, now()).unwrap();
    // And the deferred foreign keys hold, as the transaction has ended.
    assert_eq!(before, installation.of_echodesk());

    // A later EchoDesk must not stop mail, and stops payments by name.
    installation
        .execute("ALTER TABLE tenants_invoice ADD COLUMN vat text NOT NULL; DROP TABLE tenants_payment_retry_schedule");
    let findings = of_public(&store);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].0, Severity::Billing);
    assert!(findings[0].1.starts_with("public.tenants_invoice.vat is NOT NULL"), "{findings:?}");
}

#[test]
fn a_mailbox_of_a_tenant_without_tables_is_refused_in_plain_words() {
    let Some(installation) = Installation::new() else { return };
    let store = installation.open();
    store.migrate(None).unwrap();
    for (name, words) in [("missing", "schema missing does not exist"), ("bare", "EchoDesk has not migrated it")] {
        let key = MailboxKey { schema: schema(name), connection: ConnectionId(1) };
        let added = store.add_mailbox(&key.schema, &new_mailbox("x@y"), now()).unwrap_err();
        let enabled = store.enable_mailbox(&key, now()).unwrap_err();
        assert!(added.to_string().contains(words), "{added}");
        assert!(enabled.to_string().contains(words), "{enabled}");
    }
}

#[test]
fn a_store_that_meets_an_unknown_column_unprepared_writes_nothing() {
    let Some(mut installation) = Installation::new() else { return };
    let store = installation.open();
    store.migrate(None).unwrap();
    let connection = store.add_mailbox(&schema("good"), &new_mailbox("info@x.example"), now()).unwrap();
    let key = MailboxKey { schema: schema("good"), connection };
    let (mailbox, lease) = (find(&store, &key), take(&store, &key));
    installation.execute("ALTER TABLE good.social_integrations_emailmessage ADD COLUMN ai_score integer NOT NULL");
    let error = store.store(&mailbox, &lease, &batch("INBOX", 1, vec![item(1, "<secret@x>", 1)])).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Other);
    let source = error.source.unwrap();
    assert!(source.to_string().contains("ai_score"), "{source}");
    assert!(!format!("{source} {source:?}").contains("secret"), "{source:?}");
    assert!(store.cursors(&key).unwrap().is_empty());
}

#[test]
fn ids_of_older_installations_are_integers_and_serve_as_well() {
    let Some(mut installation) = Installation::new() else { return };
    installation.execute(
        "ALTER TABLE good.tickets_ticket DROP COLUMN email_id; \
         ALTER TABLE good.social_integrations_emailmessage ALTER id DROP IDENTITY, ALTER id TYPE integer; \
         CREATE SEQUENCE good.message_ids; \
         ALTER TABLE good.social_integrations_emailmessage ALTER id SET DEFAULT nextval('good.message_ids'), \
           ALTER connection_id TYPE integer; \
         ALTER TABLE good.social_integrations_emailconnection ALTER id TYPE integer",
    );
    let store = installation.open();
    store.migrate(None).unwrap();
    let connection = store.add_mailbox(&schema("good"), &new_mailbox("info@x.example"), now()).unwrap();
    let key = MailboxKey { schema: schema("good"), connection };
    let (mailbox, lease) = (find(&store, &key), take(&store, &key));
    store.store(&mailbox, &lease, &batch("INBOX", 1, vec![item(1, "<a@x>", 1)])).unwrap();
    store.mark_gone(&key, &lease, "INBOX", 1, None, now()).unwrap();
    let fates = store.store(&mailbox, &lease, &batch("Archive", 1, vec![item(5, "<a@x>", 1)])).unwrap();
    assert_eq!(fates, [Fate::Duplicate]);
    let rows = "SELECT folder || '/' || uid AS row FROM good.social_integrations_emailmessage";
    assert_eq!(installation.select(rows), ["Archive/5"]);
}

#[test]
fn a_database_of_some_other_django_project_is_left_alone() {
    let Some(url) = empty_database() else { return };
    postgres(&url).batch_execute("CREATE TABLE django_migrations (id integer)").unwrap();
    let store = Store::open(&url, Access::ReadWrite).unwrap();
    let error = store.migrate(None).unwrap_err();
    assert!(error.to_string().contains("tenants_tenant"), "{error}");
    let finding = &store.inspect().unwrap()[0];
    assert_eq!(finding.severity, Severity::Fatal);
    assert!(finding.remedy.contains("EchoDesk"), "{finding:?}");
}

#[test]
fn many_tenants_are_read_at_once_and_one_that_may_not_be_read_costs_the_others_nothing() {
    let Some(mut installation) = Installation::new() else { return };
    for number in 0..120 {
        installation.add_row(&format!("many{number}"), true);
        installation.make_schema(&format!("many{number}"));
    }
    let store = installation.open();
    store.migrate(None).unwrap();
    for number in [0, 50, 119] {
        store.add_mailbox(&schema(&format!("many{number}")), &new_mailbox("info@x.example"), now()).unwrap();
    }
    installation.execute(
        "DROP ROLE IF EXISTS limited; CREATE ROLE limited LOGIN PASSWORD 'limited'; \
         DO $$ DECLARE s text; BEGIN FOR s IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^many' AND nspname <> 'many7' \
         LOOP EXECUTE format('GRANT USAGE ON SCHEMA %I TO limited; GRANT SELECT ON ALL TABLES IN SCHEMA %I TO limited', s, s); \
         END LOOP; END $$; GRANT SELECT ON ALL TABLES IN SCHEMA public TO limited",
    );
    let limited = as_user(&installation.url, "limited");
    let tenants = Store::open(&limited, Access::ReadWrite).unwrap().tenants(&Scope::AllActive).unwrap();
    let mailboxes: usize = tenants.iter().filter_map(|t| t.mailboxes.as_ref().ok()).map(|(_, all)| all.len()).sum();
    assert_eq!(mailboxes, 3);
    let many7 = tenants.iter().find(|t| t.tenant.schema.as_str() == "many7").unwrap();
    assert!(matches!(many7.mailboxes.as_ref().unwrap_err(), TenantProblem::Unreadable { .. }), "{many7:?}");
    installation.execute("DROP OWNED BY limited; DROP ROLE limited");
}
