//! Throw-away servers for tests.
