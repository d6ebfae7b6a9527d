//! `echodesk orders …`.

mod list;
mod resolution;
mod resolve;
#[cfg(test)]
mod tests;

pub(crate) use list::list;
pub(crate) use resolution::Unresolvable;
pub(crate) use resolve::resolve;
