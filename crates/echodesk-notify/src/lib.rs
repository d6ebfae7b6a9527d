//! echodesk-notify
