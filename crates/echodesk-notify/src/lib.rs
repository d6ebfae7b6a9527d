#![doc = include_str!("../README.md")]

mod example;
pub mod mail;
pub mod ports;
mod render;

pub use example::{Example, example, example_reader, examples};
pub use mail::Mail;
pub use render::{Reader, Rendered, TemplateError, Templates};
