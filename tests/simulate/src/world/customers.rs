//! Customers: what they are like, and what they do.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::chance::Dice;
use crate::trace::TenantNumber;
use crate::world::World;
use crate::world::agenda::Event;
use crate::world::echodesk;

/// What a customer is like, which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// How often in a thousand the bank refuses the card for a passing reason.
    pub refused: u32,
    /// How likely, in a thousand and per day of grace, the customer pays by hand.
    pub pays_in_grace: u32,
    /// The same per day of suspension.
    pub pays_when_suspended: u32,
}

impl Profile {
    /// One of the kinds of customers that there are.
    pub fn of(dice: &mut Dice) -> Self {
        let (refused, pays_in_grace, pays_when_suspended) = match dice.between(0, 10) {
            // Who always pays.
            0..=4 => (10, 300, 300),
            // Whose account is often empty.
            5..=6 => (500, 100, 150),
            // Who forgets.
            7..=8 => (250, 30, 100),
            // Who never pays by hand.
            _ => (600, 0, 0),
        };
        Self { refused, pays_in_grace, pays_when_suspended }
    }
}

/// What a customer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Pays for a month on EchoDesk's page, perhaps saving the card.
    Pay {
        /// Whether the card is saved, for renewals.
        saves_card: bool,
    },
    /// Deletes the saved card.
    DeleteCard,
    /// Keeps a card that is over from now on.
    LetCardExpire,
    /// Saves another card without paying for a month, with an order of so much.
    ReplaceCard {
        /// How much.
        costs: Verification,
    },
    /// Has so many agents from now on, so that a month costs something else.
    ChangePlan {
        /// How many.
        agents: u32,
    },
}

/// What an order costs that only saves a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Nothing.
    Nothing,
    /// A lari, for a trial.
    Trial,
    /// As much as a month.
    Month,
}

impl World {
    /// Decides what each customer does on a day that begins.
    pub(crate) fn plan_customers(&self, day: u32, begins: Timestamp) {
        for number in self.accounts.numbers() {
            let mut dice = self.chance.at(&format!("customer {number} day {day}"));
            if let Some(act) = self.act_of(number, &mut dice, begins) {
                let at = begins + SignedDuration::from_secs(dice.between(0, 86_400).cast_signed());
                self.agenda.add(at, number, Event::Customer(act));
            }
        }
    }

    fn act_of(&self, number: TenantNumber, dice: &mut Dice, now: Timestamp) -> Option<Act> {
        let account = self.accounts.read(number, Clone::clone);
        let profile = account.profile;
        // One who cannot be charged any more pays now and then even if he is forgetful.
        let pays = match (account.suspended_at, account.expires_at < now) {
            (Some(_), _) => profile.pays_when_suspended,
            (None, true) => profile.pays_in_grace,
            (None, false) => 1,
        };
        if dice.per_mille(pays) {
            return Some(Act::Pay { saves_card: dice.per_mille(400) });
        }
        if account.suspended_at.is_some() {
            return None;
        }
        match dice.between(0, 1000) {
            0 => Some(Act::DeleteCard),
            1..=2 => Some(Act::ChangePlan { agents: u32::try_from(dice.between(1, 6)).unwrap_or(1) }),
            3..=4 => Some(Act::LetCardExpire),
            // More often than not since the old one is over.
            5..=7 => Some(Act::ReplaceCard {
                costs: dice.one_of(&[
                    Verification::Nothing,
                    Verification::Trial,
                    Verification::Month,
                    Verification::Month,
                    Verification::Month,
                ]),
            }),
            _ => None,
        }
    }

    pub(crate) fn customer_acts(&self, number: TenantNumber, act: Act) {
        match act {
            Act::Pay { saves_card } => {
                let order = format!("SUB-{}", self.chance.at(&format!("order {number} {}", self.time.now())).number());
                echodesk::pay(self, number, &order, saves_card);
            }
            Act::DeleteCard => echodesk::delete_card(self, number),
            Act::LetCardExpire => {
                if let Some(card) = self.accounts.read(number, |account| account.card.clone()) {
                    self.bank.expire_card(&card);
                    self.trace.note(number, format_args!("the card expires"));
                }
            }
            Act::ReplaceCard { costs } => {
                let order = format!("CARD-{}", self.chance.at(&format!("card {number} {}", self.time.now())).number());
                let amount = match costs {
                    Verification::Nothing => Decimal::ZERO,
                    Verification::Trial => Decimal::ONE,
                    Verification::Month => self.accounts.read(number, |account| account.price),
                };
                echodesk::replace_card(self, number, &order, amount);
            }
            Act::ChangePlan { agents } => {
                echodesk::change_plan(self, number, agents);
                self.accounts.change(number, |account| account.price = Decimal::from(agents) * PRICE_PER_AGENT);
            }
        }
        self.check_account(number);
    }
}

/// What an agent costs a month, in lari.
pub const PRICE_PER_AGENT: Decimal = Decimal::from_parts(25, 0, 0, false, 0);
