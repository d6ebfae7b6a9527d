//! Who the tenant is: what is told first.

use echodesk_billing::model::Account;
use echodesk_billing::rules::due::price;
use echodesk_core::Language;
use echodesk_store::{MailboxStory, SubscriptionStory};

use super::facts::{Billing, Facts};
use super::next::card_of;
use super::refused;
use super::shown::{count, minute, words};

/// Labels and what stands beside them.
pub(super) fn of(facts: &Facts) -> Vec<(&'static str, String)> {
    let tenant = &facts.tenant;
    let mut lines = vec![(
        "notices to",
        format!("{} <{}>, in {}", tenant.admin_name, tenant.admin_email, language(tenant.language)),
    )];
    match &facts.billing {
        Err(why) => lines.push(("payments", format!("cannot be read: {why}"))),
        Ok(billing) => {
            lines.push(("billed by", billing.story.provider.clone()));
            for subscription in &billing.story.subscriptions {
                lines.push(("subscription", subscribed(subscription, billing)));
            }
            if billing.story.subscriptions.is_empty() {
                lines.push(("subscription", "none".to_owned()));
            }
            for account in &billing.accounts {
                lines.push(("card", card(account, billing)));
            }
        }
    }
    match &facts.mail {
        Err(why) => lines.push(("mailboxes", format!("cannot be read: {why}"))),
        Ok(mailboxes) if mailboxes.is_empty() => lines.push(("mailboxes", "none".to_owned())),
        Ok(mailboxes) => lines.extend(mailboxes.iter().map(|one| ("mailbox", mailbox(one)))),
    }
    lines
}

fn language(language: Language) -> &'static str {
    match language {
        Language::En => "English",
        Language::Ka => "Georgian",
        Language::Ru => "Russian",
    }
}

fn subscribed(subscription: &SubscriptionStory, billing: &Billing) -> String {
    let active = if subscription.active { "active" } else { "not active" };
    let until = match (subscription.expires_at, subscription.next_billing_date) {
        (Some(at), _) => format!("until {}", minute(at)),
        (None, Some(at)) => format!("never expires, billed next at {}", minute(at)),
        (None, None) => "never expires".to_owned(),
    };
    let account = billing.accounts.iter().find(|account| account.candidate.subscription == subscription.id);
    let price = match account.map(|account| price(&account.candidate)) {
        Some(Ok(price)) => format!("{price} a month"),
        Some(Err(why)) => why.to_string(),
        None => "price unknown".to_owned(),
    };
    let agents = count(u64::try_from(subscription.agents).unwrap_or_default(), "agent");
    let failures = match subscription.failed_payments {
        0 => String::new(),
        failed => format!(", {} in a row", count(u64::try_from(failed).unwrap_or_default(), "failed payment")),
    };
    let status = words(&subscription.payment_status);
    format!("{} ({active}), {until}; {price} for {agents}; payments: {status}{failures}", subscription.id)
}

fn card(account: &Account, billing: &Billing) -> String {
    let Some((parent, order)) = card_of(account) else { return "none".to_owned() };
    let saved = billing.story.cards.iter().find(|card| card.parent.as_str() == parent);
    let number = saved.map(|card| card.masked.trim()).filter(|masked| !masked.is_empty()).unwrap_or("number not known");
    let expiry = saved.map(|card| card.expiry.trim()).filter(|expiry| !expiry.is_empty());
    let expiry = expiry.map_or_else(String::new, |expiry| format!(", expires {expiry}"));
    let amount = match order.map(|order| &order.amount) {
        Some(Ok(amount)) => format!("can be charged {amount}"),
        Some(Err(why)) => format!("what it can be charged is unknown: {why}"),
        None => "what it can be charged, the bank is asked".to_owned(),
    };
    let refused = refused::last(billing, &parent).map(|refused| refused.shown()).unwrap_or_default();
    format!("{number}{expiry}, saved on the bank's order {parent}; {amount}{refused}")
}

fn mailbox(story: &MailboxStory) -> String {
    let mailbox = &story.mailbox;
    let state = if mailbox.is_active { "on" } else { "switched off" };
    let synced = mailbox
        .last_sync_at
        .map_or_else(|| "never read to its end".to_owned(), |at| format!("last read to its end at {}", minute(at)));
    format!("{} ({}) at {}: {state}, {synced}", mailbox.address, mailbox.key, mailbox.endpoint)
}
