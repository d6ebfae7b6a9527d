//! Charges and suspensions side by side: what `recurring-payments` does, `subscription-status` knows.

use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::bank::{Card, Endpoint, Fault, Wrong};
use echodesk_tests::sandbox::smtp::{Behaviour, SandboxSmtp};
use jiff::SignedDuration;

use super::world::{kind, told};
use crate::payments::run::{Ran, Run};
use crate::payments::world::{PaymentWorld, card_of, silent};
use crate::support::{Backend, on_both};

on_both!(
    a_renewal_ends_with_its_receipt,
    a_refused_card_is_told_of_at_once,
    a_suspension_is_withheld_while_nobody_knows_whether_it_was_paid,
    what_was_paid_after_the_suspension_lifts_it_once,
    reminders_name_the_card_that_will_be_charged,
    a_run_on_one_tenant_delivers_that_tenants_notices_only,
);

struct Paying {
    payments: PaymentWorld,
    mails: SandboxSmtp,
}

impl Paying {
    fn new(backend: Backend) -> Option<Self> {
        let mut payments = PaymentWorld::new(backend, silent())?;
        let mails = SandboxSmtp::start(Behaviour::plain());
        for (name, value) in mails.settings() {
            if name != "ECHODESK_CA_FILE" {
                payments.set(name, &value);
            }
        }
        payments.set("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>");
        Some(Self { payments, mails })
    }

    /// A subscription with a card whose own order was paid for an earlier period.
    fn subscribe(&self, tenant: &str, days: i64, card: Card) {
        self.payments.subscribe(tenant, days, card);
        let long_ago = match self.payments.world.backend() {
            Backend::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-40 days')",
            Backend::Postgres => "now() - interval '40 days'",
        };
        let set = format!("paid_at = {long_ago}, created_at = {long_ago}");
        self.payments.world.execute(&format!("UPDATE tenants_payment_order SET {set} WHERE order_id NOT LIKE 'REC-%'"));
    }

    /// Runs `subscription-status`.
    fn status(&self, arguments: &[&str]) -> Ran {
        let file = self.payments.world.installation.folder.join("status.json");
        let _ = std::fs::remove_file(&file);
        let name = file.display().to_string();
        let all = [&["--report", &name], arguments].concat();
        Run { child: self.payments.command("subscription-status", &all).spawn().unwrap(), file }.end()
    }

    /// What was told since the last time, without whom and how much.
    fn told(&self) -> Vec<String> {
        let mails = self.mails.take();
        assert_eq!(told(&mails).len(), mails.len());
        mails.iter().map(kind).collect()
    }

    fn states(&self) -> Vec<String> {
        self.payments.world.public_texts(
            "SELECT CASE WHEN t.is_active THEN 'on' ELSE 'off' END || ' ' || CASE WHEN s.is_active THEN 'on' ELSE 'off' \
             END AS value FROM tenants_tenant t JOIN tenants_tenant_subscription s ON s.tenant_id = t.id ORDER BY t.id",
        )
    }
}

fn a_renewal_ends_with_its_receipt(backend: Backend) {
    let Some(world) = Paying::new(backend) else { return };
    world.subscribe("acme", 2, Card::pays());
    let ran = world.payments.run(&[]).with_code(0);
    assert_eq!(ran.report["notices"]["delivered"], 1, "{ran:#?}");
    let mails = world.mails.mails();
    assert_eq!((mails.len(), kind(&mails[0]).as_str()), (1, "renewal_paid"));
    assert_eq!(mails[0].to, ["admin@example.com"]);
    let order = &world.payments.orders_of("acme")[0];
    for text in [mails[0].text(), mails[0].html()] {
        assert!(text.contains("50.00") && text.contains(order.as_str()), "{text}");
    }
    let _ = world.payments.run(&["--days-before", "22"]).with_code(0);
    let _ = world.status(&[]).with_code(0);
    assert_eq!(world.told(), ["renewal_paid"], "once");
    world.payments.assert_exact("acme", 1);
}

fn a_refused_card_is_told_of_at_once(backend: Backend) {
    let Some(world) = Paying::new(backend) else { return };
    world.subscribe("acme", 2, Card::rejected("107"));
    let _ = world.payments.run(&[]).with_code(1);
    assert_eq!(world.told(), ["payment_failed"]);
    // Its subscription is about to expire, which is told of as well, and neither is told twice.
    let _ = world.status(&[]).with_code(0);
    assert_eq!(world.told(), ["urgent_reminder"]);
    let _ = world.payments.run(&[]);
    let _ = world.status(&[]).with_code(0);
    assert_eq!(world.told(), [""; 0]);
}

fn a_suspension_is_withheld_while_nobody_knows_whether_it_was_paid(backend: Backend) {
    let Some(world) = Paying::new(backend) else { return };
    world.subscribe("acme", 2, Card::pays());
    world.payments.bank.fail_when(|call| (call.endpoint == Endpoint::Subscribe).then_some(Fault::After(Wrong::Close)));
    let _ = world.payments.run(&[]).with_code(1);
    world.payments.let_pass("acme", SignedDuration::from_hours(12 * 24));

    let dump = || world.payments.world.public_texts("SELECT CAST(count(*) AS text) AS value FROM echodesk_notice");
    let before = dump();
    for arguments in [&["--dry-run"][..], &[]] {
        let ran = world.status(arguments).with_code(1);
        let item = ran.item("acme");
        assert_eq!((item["outcome"].as_str(), item["code"].as_str()), (Some("withheld"), Some("open")), "{ran:#?}");
        assert_eq!((item["step"].as_str(), ran.total("suspended")), (Some("suspension"), 0));
    }
    assert_eq!((world.states(), dump()), (vec!["on on".to_owned()], before));
    assert_eq!(world.told(), [""; 0]);

    world.payments.bank.work_well();
    let _ = world.payments.run(&[]).with_code(0);
    world.payments.assert_exact("acme", 1);
    assert_eq!(world.told(), ["renewal_paid"]);
    let _ = world.status(&[]).with_code(0);
    assert_eq!((world.states(), world.told()), (vec!["on on".to_owned()], Vec::new()));
}

fn what_was_paid_after_the_suspension_lifts_it_once(backend: Backend) {
    let Some(world) = Paying::new(backend) else { return };
    world.subscribe("acme", 2, Card::rejected("107"));
    let _ = world.payments.run(&[]).with_code(1);
    world.payments.let_pass("acme", SignedDuration::from_hours(12 * 24));
    let _ = world.status(&[]).with_code(0);
    assert_eq!(world.states(), ["off off"]);
    assert_eq!(world.told(), ["payment_failed", "suspended"]);

    // The bank had taken the money after all, as a person finds out.
    let order = &world.payments.orders_of("acme")[0];
    let resolve = ["orders", "resolve", order, "--paid", "--because", "statement, line 17"];
    let resolved: Ended = world.payments.echodesk(&resolve);
    assert_eq!(resolved.code, Some(0), "{resolved:#?}");
    assert_eq!(world.states(), ["on on"]);
    let ran = world.status(&[]).with_code(0);
    assert_eq!(ran.total("reactivated"), 0, "it is not lifted twice: {ran:#?}");
    let mut told = world.told();
    told.sort();
    assert_eq!(told, ["reactivated", "renewal_paid"]);
    let _ = world.status(&[]).with_code(0);
    assert_eq!(world.told(), [""; 0]);
}

fn reminders_name_the_card_that_will_be_charged(backend: Backend) {
    let Some(world) = Paying::new(backend) else { return };
    // The first is valid for years, the second expires first, the third has no card.
    for (tenant, expiry) in [("bell", "12/99"), ("cola", "01/20")] {
        world.subscribe(tenant, 6, Card::pays());
        world.payments.world.execute(&format!(
            "INSERT INTO tenants_saved_card (parent_order_id, card_type, masked_card_number, card_expiry, transaction_id, \
               saved_at, is_active, tenant_id, is_default, card_save_type) \
             SELECT '{}', 'visa', '411111***1111', '{expiry}', '', created_on, true, id, true, 'subscription' \
             FROM tenants_tenant WHERE schema_name = '{tenant}'",
            card_of(tenant)
        ));
    }
    world.payments.subscribe_with("dona", 6, &["--price", "25.00"]);
    let _ = world.status(&[]).with_code(0);
    let texts: Vec<String> = world.mails.mails().iter().map(|mail| words(&mail.text())).collect();
    let with = |what: &str| texts.iter().filter(|text| text.contains(what)).count();
    assert_eq!((texts.len(), with("411111***1111")), (3, 2), "{texts:#?}");
    assert_eq!((with("will be charged"), with("01/20"), with("No card is saved")), (1, 1, 1), "{texts:#?}");
}

fn a_run_on_one_tenant_delivers_that_tenants_notices_only(backend: Backend) {
    let Some(world) = Paying::new(backend) else { return };
    world.subscribe("acme", 2, Card::pays());
    world.subscribe("bell", 5, Card::pays());
    world.mails.set_away(true);
    let _ = world.status(&[]).with_code(1);
    world.mails.set_away(false);
    let ran = world.payments.run(&["--tenant", "acme"]).with_code(0);
    // The reminder does not hold any more, the receipt does, and the other tenant's waits.
    assert_eq!((&ran.report["notices"]["delivered"], &ran.report["notices"]["withdrawn"]), (&1.into(), &1.into()));
    assert_eq!(world.told(), ["renewal_paid"]);
    let _ = world.payments.run(&[]).with_code(0);
    assert_eq!(world.told(), ["reminder"], "whichever job has queued it");
}

/// A text without its line breaks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
