//! Periods: which renewal date is paid for, and how far a payment extends.

use jiff::{SignedDuration, Timestamp};

use crate::model::Seen;

/// What a payment buys: 30 days of 24 hours.
pub const EXTENSION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Renewal dates nearer than this to each other are the same period: renewals are 30 days apart, and a
/// date that somebody has corrected by hand must not make a period that was paid due again.
const SAME_PERIOD: SignedDuration = SignedDuration::from_hours(15 * 24);

/// The date by which a subscription has to be renewed: `expires_at`, else `next_billing_date`.
#[must_use]
pub fn renewal_date(seen: &Seen) -> Option<Timestamp> {
    seen.expires_at.or(seen.next_billing_date)
}

/// Whether two renewal dates are those of one period.
#[must_use]
pub fn same_period(a: Timestamp, b: Timestamp) -> bool {
    a.duration_since(b).abs() < SAME_PERIOD
}

/// The renewal dates that a run looks at: past, but inside of grace, to not far ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Dates up to this one are past all grace.
    pub after: Timestamp,
    /// The last date that is charged now.
    pub until: Timestamp,
}

impl Window {
    /// From `grace_days` before `now` to `days_before` days after it, days of 24 hours.
    #[must_use]
    pub fn around(now: Timestamp, days_before: u32, grace_days: u32) -> Self {
        let days = |count: u32| SignedDuration::from_hours(i64::from(count) * 24);
        Self {
            after: now.checked_sub(days(grace_days)).unwrap_or(Timestamp::MIN),
            until: now.checked_add(days(days_before)).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether it holds a date.
    #[must_use]
    pub fn contains(&self, date: Timestamp) -> bool {
        self.after < date && date <= self.until
    }
}

/// What a payment does to a subscription's dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// `expires_at`; none if the subscription never expires, which a payment does not change.
    pub expires_at: Option<Timestamp>,
    /// `next_billing_date`.
    pub next_billing_date: Timestamp,
    /// Whether tenant and subscription become active again.
    pub lifts_suspension: bool,
}

/// A subscription as far as a payment depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `tenants_tenant.is_active`.
    pub tenant_active: bool,
    /// `tenants_tenant_subscription.is_active`.
    pub active: bool,
    /// `expires_at`.
    pub expires_at: Option<Timestamp>,
    /// `next_billing_date`.
    pub next_billing_date: Option<Timestamp>,
}

/// 30 days from the old date, so that no day is lost by paying early and none won by paying late; after
/// a suspension from the payment on, since the days between were not to be had.
#[must_use]
pub fn extend(standing: &Standing, now: Timestamp) -> Extension {
    let lifts_suspension = !(standing.tenant_active && standing.active);
    let old = standing.expires_at.or(standing.next_billing_date).unwrap_or(now);
    let from = if lifts_suspension { old.max(now) } else { old };
    let until = from.checked_add(EXTENSION).unwrap_or(Timestamp::MAX);
    Extension { expires_at: standing.expires_at.map(|_| until), next_billing_date: until, lifts_suspension }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn standing(expires_at: Option<&str>, next_billing_date: Option<&str>) -> Standing {
        Standing {
            tenant_active: true,
            active: true,
            expires_at: expires_at.map(at),
            next_billing_date: next_billing_date.map(at),
        }
    }

    #[test]
    fn a_payment_extends_from_the_old_date() {
        let now = at("2026-11-22T10:00:00Z");
        for (expiry, then) in
            [("2026-11-25T00:00:00Z", "2026-12-25T00:00:00Z"), ("2026-11-20T12:30:00Z", "2026-12-20T12:30:00Z")]
        {
            let extension = extend(&standing(Some(expiry), Some("2026-11-01T00:00:00Z")), now);
            let then = at(then);
            assert_eq!(
                extension,
                Extension { expires_at: Some(then), next_billing_date: then, lifts_suspension: false }
            );
        }
    }

    #[test]
    fn after_a_suspension_it_extends_from_the_payment() {
        let now = at("2026-11-22T10:00:00Z");
        let old = standing(Some("2026-11-01T00:00:00Z"), None);
        for suspended in [Standing { active: false, ..old }, Standing { tenant_active: false, ..old }] {
            let extension = extend(&suspended, now);
            assert_eq!(extension.expires_at, Some(at("2026-12-22T10:00:00Z")));
            assert!(extension.lifts_suspension);
        }
        let ahead = Standing { active: false, ..standing(Some("2026-12-01T00:00:00Z"), None) };
        assert_eq!(extend(&ahead, now).expires_at, Some(at("2026-12-31T00:00:00Z")), "no paid day is taken away");
    }

    #[test]
    fn what_never_expires_still_does_not() {
        let extension = extend(&standing(None, Some("2026-11-25T00:00:00Z")), at("2026-11-22T10:00:00Z"));
        assert_eq!(extension.expires_at, None);
        assert_eq!(extension.next_billing_date, at("2026-12-25T00:00:00Z"));
    }

    #[test]
    fn the_window_ends_with_grace_and_begins_days_before() {
        let now = at("2026-11-22T10:00:00Z");
        let window = Window::around(now, 3, 7);
        for (date, inside) in [
            ("2026-11-15T10:00:00Z", false),
            ("2026-11-15T10:00:01Z", true),
            ("2026-11-22T10:00:00Z", true),
            ("2026-11-25T10:00:00Z", true),
            ("2026-11-25T10:00:01Z", false),
        ] {
            assert_eq!(window.contains(at(date)), inside, "{date}");
        }
        let _ = Window::around(Timestamp::MAX, u32::MAX, u32::MAX);
    }

    proptest! {
        #[test]
        fn an_extension_is_a_new_period(old in -2_000_000_000_i64..4_000_000_000, late in 0_i64..2_000_000) {
            let old = Timestamp::from_second(old).unwrap();
            let now = Timestamp::from_second(old.as_second() + late).unwrap();
            for active in [true, false] {
                let standing =
                    Standing { tenant_active: true, active, expires_at: Some(old), next_billing_date: None };
                let new = extend(&standing, now).next_billing_date;
                prop_assert!(!same_period(old, new));
                prop_assert!(new >= old.checked_add(EXTENSION).unwrap());
            }
        }
    }
}
