//! One call of the API: its tries, with token, pauses, and what is known if all of them fail.

use std::time::Duration;

use echodesk_core::Secret;
use reqwest::{Client, RequestBuilder, header};

use super::exchange::{Answer, Reply, exchange};
use super::token::bearer;
use super::{BankLimits, BogBank};
use crate::ports::Random;

/// What a call was answered.
#[derive(Debug)]
pub(super) struct Answered {
    /// The answer.
    pub(super) answer: Answer,
    /// The token that it was made with, which the answer may repeat.
    pub(super) token: Secret,
    /// Whether an earlier try may have reached the bank.
    pub(super) after_another: bool,
}

/// Why a call got no answer of the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoAnswer {
    /// In words.
    pub(super) why: String,
    /// Whether any try may have reached the bank.
    pub(super) sent: bool,
}

impl BogBank {
    /// Makes a call until it is answered in a way that another try would not change. Every try is the
    /// same request.
    pub(super) async fn call(
        &self,
        endpoint: &'static str,
        request: impl Fn(&Client) -> RequestBuilder + Sync,
    ) -> Result<Answered, NoAnswer> {
        let mut tries = 0;
        let result = self.call_counting(&mut tries, request).await;
        match &result {
            Ok(Answered { answer, .. }) => {
                tracing::debug!(endpoint, status = answer.status, tries, "the bank has answered");
            }
            Err(no) => tracing::debug!(endpoint, why = no.why, sent = no.sent, tries, "no answer of the bank"),
        }
        result
    }

    async fn call_counting(
        &self,
        tries: &mut u32,
        request: impl Fn(&Client) -> RequestBuilder + Sync,
    ) -> Result<Answered, NoAnswer> {
        let (mut sent, mut has_new_token) = (false, false);
        loop {
            let token = self.token().await.map_err(|no| NoAnswer { why: no.to_string(), sent })?;
            let request = request(&self.client).header(header::AUTHORIZATION, bearer(&token));
            *tries += 1;
            let (why, asked) = match exchange(request, &self.limits, self.clock.as_ref()).await {
                // Refused before it was looked at, so it does not count as sent.
                Reply::Answer(Answer { status: 401, .. }) if has_new_token => {
                    return Err(NoAnswer { why: "the bank refuses our token (HTTP 401)".to_owned(), sent });
                }
                Reply::Answer(Answer { status: 401, .. }) => {
                    self.tokens.forget(&token).await;
                    has_new_token = true;
                    *tries -= 1;
                    continue;
                }
                Reply::Answer(answer) if !answer.passes() => {
                    return Ok(Answered { answer, token, after_another: sent });
                }
                Reply::Answer(answer) => {
                    sent = true;
                    (format!("HTTP {}", answer.status), answer.retry_after)
                }
                Reply::NotConnected(no) => (no.why, None),
                Reply::Lost(why) => {
                    sent = true;
                    (why, None)
                }
                Reply::TimedOut => {
                    let why = format!("no answer within {:?}", self.limits.request_timeout);
                    return Err(NoAnswer { why, sent: true });
                }
            };
            if *tries >= self.limits.tries {
                return Err(NoAnswer { why: format!("{why}, after {tries} tries"), sent });
            }
            tokio::time::sleep(pause(&self.limits, *tries, asked, self.random.as_ref())).await;
        }
    }
}

/// How long to wait after so many tries, and not less than was asked for.
pub(super) fn pause(limits: &BankLimits, tries: u32, asked: Option<Duration>, random: &dyn Random) -> Duration {
    let doubled = limits.first_pause.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX));
    // The last two bytes of a version 4 UUID are random throughout. Runs that failed together must not
    // come back together.
    let [.., high, low] = *random.uuid().as_bytes();
    let chance = f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX);
    let own = doubled.min(limits.longest_pause).mul_f64(0.5 + chance / 2.0);
    own.max(asked.unwrap_or_default()).min(limits.longest_pause)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    struct Always(u128);

    impl Random for Always {
        fn uuid(&self) -> Uuid {
            Uuid::from_u128(self.0)
        }
    }

    #[test]
    fn pauses_double_with_jitter_and_are_bounded() {
        let limits = BankLimits::default();
        let millis = |tries, asked, random| pause(&limits, tries, asked, &Always(random)).as_millis();
        assert_eq!([1, 2, 3].map(|tries| millis(tries, None, u128::MAX)), [500, 1000, 2000]);
        assert_eq!([1, 2, 3].map(|tries| millis(tries, None, 0)), [250, 500, 1000]);
        assert_eq!(millis(40, None, u128::MAX), 10_000);
        assert_eq!(millis(u32::MAX, None, u128::MAX), 10_000);
        assert_eq!(millis(1, Some(Duration::from_secs(3)), 0), 3000, "no less than was asked for");
        assert_eq!(millis(3, Some(Duration::from_millis(1)), 0), 1000, "nor less than we would wait ourselves");
        assert_eq!(millis(1, Some(Duration::MAX), 0), 10_000);
    }
}
