#![doc = include_str!("../README.md")]

mod money;
mod price;

pub use money::{Currency, Money, MoneyError};
pub use price::monthly_price;
