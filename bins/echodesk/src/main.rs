//! echodesk
fn main() {}
