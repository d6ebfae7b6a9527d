#![doc = include_str!("../README.md")]

pub mod bank;
pub mod callback;
pub mod forecast;
pub mod model;
mod money;
pub mod ports;
mod price;
pub mod rules;
pub mod run;
pub mod status;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use money::{Currency, Money, MoneyError};
pub use price::monthly_price;
