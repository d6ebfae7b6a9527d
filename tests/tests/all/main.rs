//! All end-to-end tests, in one binary: linking is what costs.
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod sandbox;
