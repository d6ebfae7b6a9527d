//! echodesk-store
