//! How long and how often.

use std::time::Duration;

/// Bounds of the calls of the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankLimits {
    /// For a connection, TLS included. Default: 10 s.
    pub connect_timeout: Duration,
    /// For one try of a call, from connecting to the last byte of its answer. Default: 30 s.
    pub request_timeout: Duration,
    /// How often a call is tried in all, if its tries fail in ways that pass; at least once. Default: 3.
    pub tries: u32,
    /// The pause after the first try; it doubles with each, and chance takes off up to a half. Default:
    /// 500 ms.
    pub first_pause: Duration,
    /// The longest pause, also if the bank asks for one by `Retry-After`. Default: 10 s.
    pub longest_pause: Duration,
    /// How much of an answer is read, in bytes, after decompression. Default: 256 KiB.
    pub body: usize,
    /// How long a token is used at most, whatever the bank says of it. Default: 45 minutes.
    pub token_age: Duration,
}

impl Default for BankLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            tries: 3,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(10),
            body: 256 * 1024,
            token_age: Duration::from_secs(45 * 60),
        }
    }
}
