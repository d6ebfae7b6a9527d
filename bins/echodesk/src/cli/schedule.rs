//! At what times the jobs run: what explain and forecast have to be told where the crontab has other times.

use clap::Args;
use echodesk_billing::forecast::Schedule;
use jiff::civil::Time;

#[derive(Args, Clone, Debug)]
pub(crate) struct ScheduleArgs {
    /// When recurring-payments runs each day, in UTC: HH:MM, several separated by commas
    #[arg(long, value_name = "TIMES", value_delimiter = ',', default_value = "02:00", value_parser = time_of_day)]
    #[arg(help_heading = "How the jobs run")]
    pub(crate) payments_at: Vec<Time>,
    /// When subscription-status runs each day, likewise
    #[arg(long, value_name = "TIMES", value_delimiter = ',', default_value = "03:00", value_parser = time_of_day)]
    #[arg(help_heading = "How the jobs run")]
    pub(crate) status_at: Vec<Time>,
}

impl ScheduleArgs {
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
