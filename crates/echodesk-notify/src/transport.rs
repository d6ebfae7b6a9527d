//! The ways for mails to go: a mail server, a folder, the console.

mod carrier;
mod console;
mod folder;
mod smtp;

pub use carrier::{Carrier, CarrierSession};
pub use console::Console;
pub use folder::Folder;
pub use smtp::{SmtpLimits, SmtpObstacle, SmtpProbeError, SmtpSession, SmtpTransport};
