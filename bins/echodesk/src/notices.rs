//! `echodesk notices …` and `echodesk send-test-email`.

mod list;
mod preview;
mod retry;
mod test_mail;
#[cfg(test)]
mod tests;

pub(crate) use list::list;
pub(crate) use preview::preview;
pub(crate) use retry::retry;
pub(crate) use test_mail::send_test;
