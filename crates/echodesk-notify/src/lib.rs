#![doc = include_str!("../README.md")]

pub mod deliver;
mod example;
mod invisible;
pub mod mail;
mod message;
pub mod ports;
mod render;
pub mod rules;
pub mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transport;

pub use deliver::{DeliveryObserver, DeliveryOptions, DeliveryReport, DeliveryWorld, deliver};
pub use example::{Example, example, example_reader, examples};
pub use mail::Mail;
pub use message::{MessageError, Sender, message};
pub use render::{Reader, Rendered, TemplateError, Templates};
pub use settings::{EmailSettings, EmailSettingsError};
pub use transport::Carrier;
