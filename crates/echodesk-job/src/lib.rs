#![doc = include_str!("../README.md")]

pub mod args;
pub mod bank;
mod ending;
pub mod error;
pub mod exit;
pub mod generate;
pub mod job;
pub mod logging;
pub mod mail;
pub mod notices;
pub mod output;
pub mod process;
pub mod progress;
pub mod readiness;
pub mod report;
mod run_record;
pub mod settings;
pub mod signals;
pub mod spool;
pub mod table;
pub mod tenant;
pub mod terminal;
pub mod time_zone;
pub mod values;

pub use args::{CommonArgs, GlobalArgs, LogFormat};
pub use ending::{Items, JobReport};
pub use error::{JobError, one_line};
pub use exit::{ExitStatus, Signal};
pub use job::{Job, JobContext, run};
pub use notices::{Delivery, NoticeSettings};
pub use process::Process;
pub use progress::{Progress, ProgressWords};
pub use readiness::Needs;
pub use settings::{Settings, SettingsError};
pub use spool::Spool;
