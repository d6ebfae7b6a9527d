//! How a world begins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use echodesk_billing::model::BankOrderId;
use echodesk_billing::{Currency, Money};
use echodesk_core::{Language, SchemaName};
use echodesk_store::{NewSubscription, NewTenant};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::bugs::Bug;
use crate::chance::{Chance, Dice};
use crate::database::Database;
use crate::fault::Faults;
use crate::panics::Panics;
use crate::plan::Plan;
use crate::time::{HostClock, TrueTime};
use crate::trace::{TenantNumber, Trace};
use crate::world::accounts::{Account, Accounts};
use crate::world::agenda::Agenda;
use crate::world::bank::{BankWorld, CardOnFile};
use crate::world::callbacks::Signatures;
use crate::world::customers::{PRICE_PER_AGENT, Profile};
use crate::world::mail::MailWorld;
use crate::world::mishaps::Mishaps;
use crate::world::notices::Notices;
use crate::world::post_office::PostOffice;
use crate::world::wall_clocks::zone;
use crate::world::{State, World, retries};

/// The first moment of all simulations.
const START: &str = "2026-02-02T00:00:00Z";

#[expect(clippy::expect_used, reason = "what is built here is known to be right, and nothing is simulated without it")]
impl World {
    /// The world of a plan as it begins.
    ///
    /// # Panics
    /// If the database cannot be made.
    #[must_use]
    pub fn new(plan: Plan) -> Arc<Self> {
        let start: Timestamp = START.parse().expect("a moment");
        let (chance, time) = (Chance::new(plan.seed), TrueTime::starting_at(start));
        let faults = Faults::new(chance, plan.faults.clone());
        let zone = |whose| zone(whose, chance, &faults);
        let (billing_zone, cron_zone) = (zone("customers"), zone("hosts"));
        let world = Arc::new(Self {
            billing_zone,
            cron_zone,
            faults,
            trace: Trace::new(time.clone(), plan.traced),
            database: Database::new(plan.backend),
            agenda: Agenda::default(),
            accounts: Accounts::default(),
            bank: BankWorld::default(),
            panics: Panics::new(plan.bug == Some(Bug::PanicsInATask)),
            mishaps: Mishaps::default(),
            mail: MailWorld::default(),
            notices: Notices::default(),
            post_office: PostOffice::default(),
            signatures: Signatures::shared(),
            clocks: (0..plan.hosts.max(1)).map(|_| HostClock::new(time.clone())).collect(),
            state: Mutex::new(State::default()),
            plan,
            chance,
            time,
        });
        retries::add_tables(&world.database);
        for number in world.plan.numbers() {
            world.found(number, start);
            world.found_mailboxes(number, start);
        }
        world
    }

    /// A customer who has been there for a while.
    fn found(&self, number: TenantNumber, now: Timestamp) {
        let mut dice = self.chance.at(&format!("customer {number}"));
        let schema: SchemaName = number.to_string().parse().expect("a schema");
        let tenant = NewTenant {
            schema: schema.clone(),
            name: format!("Customer {}", number.0),
            admin_email: format!("admin@{number}.example"),
            admin_name: "Nino".to_owned(),
            language: dice.one_of(&[Language::Ka, Language::En, Language::Ru]),
            domain: format!("{number}.example"),
        };
        let tenant = self.database.store.add_tenant(&tenant, now).expect("a tenant can be added");
        let agents = u32::try_from(dice.between(1, 6)).expect("few");
        let price = Decimal::from(agents) * PRICE_PER_AGENT;
        let money = |amount| Money::new(amount, Currency::Gel).expect("an amount of money");
        let expires_at = now + SignedDuration::from_secs(dice.between(3_600, 30 * 86_400).cast_signed());
        let card = (!dice.per_mille(150)).then(|| format!("card-{number}"));
        let subscription = NewSubscription {
            tenant,
            expires_at,
            agents,
            price_per_agent: money(PRICE_PER_AGENT),
            month: money(price),
            card: card.clone().map(BankOrderId),
        };
        // Its card was saved when the month that ends was paid.
        let paid_at = expires_at - SignedDuration::from_hours(30 * 24);
        let subscription = self.database.store.add_subscription(&subscription, paid_at).expect("it can be subscribed");
        if let Some(card) = &card {
            self.bank.add_card(card, CardOnFile { tenant: number, amount: price, expired: false });
        }
        let profile = Profile::of(&mut Dice::clone(&dice));
        let booked = self.paid_orders(tenant.0);
        let (suspended_at, captures, suspension_notices) = (None, Vec::new(), 0);
        self.accounts.add(Account {
            number,
            tenant,
            subscription,
            schema,
            profile,
            price,
            card,
            expires_at,
            suspended_at,
            captures,
            unknown: std::collections::BTreeSet::new(),
            suspension_notices,
            booked,
            decided: BTreeMap::new(),
            settled: BTreeMap::new(),
            retries: Vec::new(),
        });
        self.trace.note(number, format_args!("{profile:?}, {price} GEL, paid until {expires_at}"));
    }
}
