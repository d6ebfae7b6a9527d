//! sync-emails
fn main() {}
