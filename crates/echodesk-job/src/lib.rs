//! echodesk-job
