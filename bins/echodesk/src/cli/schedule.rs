//! How the jobs run: what explain and forecast have to be told where the crontab has it otherwise.

use clap::Args;
use echodesk_billing::forecast::Schedule;
use echodesk_billing::rules::due::{LONGEST_WINDOW_DAYS, Policy};
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_core::Environment;
use echodesk_job::{SettingsError, tenant, time_zone};
use jiff::civil::Time;

#[derive(Args, Clone, Debug)]
pub(crate) struct ScheduleArgs {
    /// The --days-before of recurring-payments
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=29))]
    pub(crate) days_before: u32,
    /// The --grace-days of recurring-payments and of subscription-status (with --days-before, at most 29)
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(0..=29))]
    pub(crate) grace_days: u32,
    /// The --grace-days of subscription-status, where it has others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=90))]
    pub(crate) status_grace_days: Option<u32>,
    /// When recurring-payments runs each day, in UTC: HH:MM, several separated by commas
    #[arg(long, value_name = "TIMES", value_delimiter = ',', value_parser = time_of_day)]
    #[arg(default_value = "02:00,08:00,14:00,20:00")]
    #[arg(help_heading = "How the jobs run")]
    pub(crate) payments_at: Vec<Time>,
    /// When subscription-status runs each day, likewise
    #[arg(long, value_name = "TIMES", value_delimiter = ',', default_value = "03:00", value_parser = time_of_day)]
    #[arg(help_heading = "How the jobs run")]
    pub(crate) status_at: Vec<Time>,
}

impl ScheduleArgs {
    /// By what both jobs decide.
    ///
    /// # Errors
    /// `recurring-payments` would refuse it, or a setting cannot be used.
    pub(crate) fn policies(&self, environment: &Environment) -> Result<(Policy, ExpiryPolicy), SettingsError> {
        if self.days_before + self.grace_days > LONGEST_WINDOW_DAYS {
            let why = format!(
                "together with --grace-days {} that is over {LONGEST_WINDOW_DAYS} days, which recurring-payments \
                 refuses; --status-grace-days may be more",
                self.grace_days
            );
            return Err(SettingsError::wrong("--days-before", why));
        }
        let (exempt, time_zone) = (tenant::exempt(environment)?, time_zone::billing(environment)?);
        let renewals = Policy {
            days_before: self.days_before,
            grace_days: self.grace_days,
            exempt: exempt.clone(),
            time_zone: time_zone.clone(),
            ..Policy::default()
        };
        let grace_days = self.status_grace_days.unwrap_or(self.grace_days);
        Ok((renewals, ExpiryPolicy { grace_days, exempt, time_zone }))
    }

    pub(crate) fn schedule(&self) -> Schedule {
        Schedule { renewals: self.payments_at.clone(), status: self.status_at.clone() }
    }
}

/// A time of day: `HH:MM`.
fn time_of_day(text: &str) -> Result<Time, TimeError> {
    let text = text.trim();
    // Seconds and fractions would be understood as well, and crontabs have none.
    Some(text).filter(|text| text.len() == 5).and_then(|text| text.parse().ok()).ok_or(TimeError)
}

/// clap names the flag and shows the value.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected a time of day such as 02:00")]
struct TimeError;
