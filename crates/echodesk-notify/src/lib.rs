#![doc = include_str!("../README.md")]

pub mod mail;
pub mod ports;
mod render;

pub use mail::Mail;
pub use render::{Reader, Rendered, TemplateError, Templates};
