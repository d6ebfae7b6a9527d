//! echodesk-billing
