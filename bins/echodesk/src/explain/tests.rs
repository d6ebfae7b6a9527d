//! Placeholder for the snapshot.
