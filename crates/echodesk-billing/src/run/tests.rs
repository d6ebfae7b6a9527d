//! Runs against doubles.
