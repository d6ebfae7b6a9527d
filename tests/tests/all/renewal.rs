//! An installation with one subscription that is due, and the bank that its card is at.

mod server;

use std::process::Command;
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::bank::{Behaviour, Card, SandboxBank};
use jiff::{SignedDuration, Timestamp};

pub(crate) use self::server::{Server, request, status};
use crate::support::{Backend, TENANT, World};

/// The order on which the subscription's card was saved.
pub(crate) const PARENT: &str = "22222222-2222-4222-8222-222222222222";

/// What a month costs.
pub(crate) const PRICE: &str = "25.5";

/// Where the bank sends its callbacks.
pub(crate) const WEBHOOK: &str = "/api/payments/webhook/";

/// A bank with the subscription's card.
pub(crate) fn bank(behaviour: Behaviour, card: Card) -> SandboxBank {
    let bank = SandboxBank::start(behaviour);
    bank.add_card(PARENT, PRICE, card);
    bank
}

/// An installation with one subscription that is due.
pub(crate) struct Renewal {
    pub(crate) world: World,
    expires: Timestamp,
}

/// What the database says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Books {
    /// States of the attempts, with what is wrong with them.
    pub(crate) attempts: Vec<String>,
    /// The status of each renewal order.
    pub(crate) orders: Vec<String>,
    /// Kinds of the events, in alphabetical order.
    pub(crate) events: Vec<String>,
    /// How many invoices there are.
    pub(crate) invoices: usize,
    /// How many days the subscription was extended by; none if its end is another.
    pub(crate) extended: Option<u32>,
    /// `payment_status`, and how many payments in a row have failed.
    pub(crate) standing: String,
}

impl Books {
    /// What there is when nothing was done yet.
    pub(crate) fn untouched() -> Self {
        let none = Vec::new;
        let standing = "current 0".to_owned();
        Self { attempts: none(), orders: none(), events: none(), invoices: 0, extended: Some(0), standing }
    }

    /// One renewal that is waited for.
    pub(crate) fn open(state: &str) -> Self {
        Self { attempts: vec![state.to_owned()], orders: vec!["pending".to_owned()], ..Self::untouched() }
    }

    /// One renewal that is paid, with everything that belongs to it, once.
    pub(crate) fn paid() -> Self {
        Self {
            attempts: vec!["paid".to_owned()],
            orders: vec!["paid".to_owned()],
            events: vec!["payment_success".to_owned()],
            invoices: 1,
            extended: Some(30),
            standing: "current 0".to_owned(),
        }
    }

    /// One renewal that was refused. `status` is what the subscription says of it.
    pub(crate) fn failed(status: &str) -> Self {
        Self {
            attempts: vec!["failed".to_owned()],
            orders: vec!["failed".to_owned()],
            events: vec!["payment_failed".to_owned()],
            standing: format!("{status} 1"),
            ..Self::untouched()
        }
    }
}

impl Renewal {
    /// `None` where the back end's server is not installed.
    pub(crate) fn new(backend: Backend) -> Option<Self> {
        Some(Self::of(World::new(backend, "/dev/null".as_ref())?))
    }

    /// In a world that is there already.
    pub(crate) fn of(world: World) -> Self {
        let now = SystemClock::new().now().as_second();
        // To the whole minute, and due: two days are within the three that are the default.
        let expires = Timestamp::from_second(now - now % 60).unwrap() + SignedDuration::from_hours(48);
        let subscribe = ["tenant", "subscribe", TENANT, "--expires", &expires.to_string(), "--agents", "1"];
        let card = ["--price", PRICE, "--card", PARENT];
        let _ = world.installation.echodesk(&[&subscribe[..], &card].concat(), "").well();
        Self { world, expires }
    }

    /// An installation with the same content that nobody has touched, in the place of one that was used.
    pub(crate) fn again(&self, used: Option<Self>) -> Self {
        match used {
            Some(used) if used.world.restore() => used,
            _ => self.copy(),
        }
    }

    /// Another installation with the same content. Nothing of this one may be running.
    pub(crate) fn copy(&self) -> Self {
        Self { world: self.world.copy(), expires: self.expires }
    }

    /// `recurring-payments` with the settings of a bank.
    pub(crate) fn payments(&self, bank: &SandboxBank, arguments: &[&str]) -> Command {
        let mut command = self.world.installation.command("recurring-payments", arguments);
        // The sandbox speaks no TLS, and reading the machine's certificates is most of what a run costs.
        let none = self.world.installation.folder.join("no-certificates.pem");
        std::fs::write(&none, "").unwrap();
        command
            .env("SSL_CERT_FILE", none)
            .env("SSL_CERT_DIR", &self.world.installation.folder)
            .env("BOG_CLIENT_ID", bank.client_id())
            .env("BOG_CLIENT_SECRET", bank.client_secret())
            .env("BOG_AUTH_URL", bank.token_url())
            .env("BOG_API_BASE_URL", bank.api_url());
        command
    }

    /// Runs `recurring-payments` to its end.
    pub(crate) fn pay(&self, bank: &SandboxBank, arguments: &[&str]) -> Ended {
        let ended = Ended::of(self.payments(bank, arguments).spawn().unwrap());
        assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
        ended
    }

    /// Ends every claim, as time would: a killed process cannot give its own back.
    pub(crate) fn end_claims(&self) {
        self.world.execute("UPDATE echodesk_charge_attempt SET claimed_by = NULL, claimed_until = NULL");
    }

    pub(crate) fn books(&self) -> Books {
        // One query: each is a connection of its own.
        let rows = self.world.public_texts(
            "SELECT 'attempt:' || state || coalesce(', trouble: ' || trouble, '') AS value FROM echodesk_charge_attempt \
             UNION ALL SELECT 'order:' || status FROM tenants_payment_order WHERE order_id LIKE 'REC-%' \
             UNION ALL SELECT 'event:' || event_type FROM tenants_subscription_event \
             UNION ALL SELECT 'invoice:' || invoice_number FROM tenants_invoice \
             UNION ALL SELECT 'ends:' || CAST(expires_at AS text) FROM tenants_tenant_subscription \
             UNION ALL SELECT 'standing:' || payment_status || ' ' || CAST(failed_payment_count AS text) \
             FROM tenants_tenant_subscription",
        );
        let of = |kind: &str| {
            let mut values: Vec<_> = rows.iter().filter_map(|row| row.strip_prefix(kind)).map(str::to_owned).collect();
            values.sort();
            values
        };
        let end_after = |days: u32| {
            let end = self.expires + SignedDuration::from_hours(24 * i64::from(days));
            end.strftime("%Y-%m-%dT%H:%M").to_string()
        };
        // Both back ends write a moment like this, but for what stands between day and hour.
        let ends = of("ends:").remove(0).replacen(' ', "T", 1).chars().take(16).collect::<String>();
        Books {
            attempts: of("attempt:"),
            orders: of("order:"),
            events: of("event:"),
            invoices: of("invoice:").len(),
            extended: (0..90).find(|days| end_after(*days) == ends),
            standing: of("standing:").remove(0),
        }
    }

    /// `echodesk callbacks serve` on a free port, believing what `bank` signs.
    pub(crate) fn server(&self, bank: &SandboxBank) -> Command {
        self.server_on("127.0.0.1:0", &bank.api_url(), Some(&bank.public_key_pem()))
    }

    /// The same with any address, bank and key.
    pub(crate) fn server_on(&self, listen: &str, api_url: &str, key: Option<&str>) -> Command {
        let mut command = self.world.installation.command("echodesk", &["callbacks", "serve", "--listen", listen]);
        command.env("BOG_API_BASE_URL", api_url);
        if let Some(key) = key {
            let file = self.world.installation.folder.join("bank.pem");
            std::fs::write(&file, key).unwrap();
            command.env("BOG_PUBLIC_KEY_FILE", file);
        }
        command
    }
}

/// How long to wait before looking again.
pub(crate) const SOON: Duration = Duration::from_millis(20);
