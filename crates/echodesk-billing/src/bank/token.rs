//! The access token: fetched once for all calls, kept while it is good.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use echodesk_core::Secret;
use reqwest::header::{self, HeaderValue};
use tokio::sync::Mutex;

use super::call::pause;
use super::exchange::{Reply, exchange};
use super::log_in::{LogInError, NoToken};
use super::{BogBank, token_answer};

/// The newest token. Whoever needs one while it is being fetched waits for the same fetch, and shares
/// its failure too: a bank that does not answer would hold up a queue of callers for as long as it is.
#[derive(Default)]
pub(super) struct Tokens {
    /// Counts the fetches that have ended.
    ended: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Kept>,
    failure: Option<NoToken>,
}

struct Kept {
    token: Secret,
    /// By [`Clock::elapsed`](echodesk_core::Clock::elapsed).
    until: Duration,
}

impl Tokens {
    /// Drops a token that the bank has refused, unless another has taken its place already.
    pub(super) async fn forget(&self, refused: &Secret) {
        let mut state = self.state.lock().await;
        state.token.take_if(|kept| kept.token.expose() == refused.expose());
    }
}

impl BogBank {
    /// A token that is good for a while.
    pub(super) async fn token(&self) -> Result<Secret, NoToken> {
        let before = self.tokens.ended.load(Ordering::Acquire);
        let mut state = self.tokens.state.lock().await;
        if let Some(kept) = state.token.as_ref().filter(|kept| self.clock.elapsed() < kept.until) {
            return Ok(kept.token.clone());
        }
        if self.tokens.ended.load(Ordering::Acquire) > before
            && let Some(failure) = &state.failure
        {
            return Err(failure.clone());
        }
        let fetched = self.fetch_token().await;
        self.tokens.ended.fetch_add(1, Ordering::Release);
        match fetched {
            Ok(kept) => {
                let token = kept.token.clone();
                *state = State { token: Some(kept), failure: None };
                Ok(token)
            }
            Err(no) => {
                *state = State { token: None, failure: Some(no.clone()) };
                Err(no)
            }
        }
    }

    async fn fetch_token(&self) -> Result<Kept, NoToken> {
        let mut tries = 0;
        let result = self.fetch_token_counting(&mut tries).await;
        match &result {
            Ok(_) => tracing::debug!(endpoint = "token", tries, "the bank has answered"),
            Err(no) => tracing::debug!(endpoint = "token", why = %no, tries, "no token of the bank"),
        }
        result
    }

    async fn fetch_token_counting(&self, tries: &mut u32) -> Result<Kept, NoToken> {
        loop {
            *tries += 1;
            // Its age counts from here: it was made later.
            let asked_at = self.clock.elapsed();
            let request = self
                .client
                .post(self.settings.auth_url.clone())
                .basic_auth(&self.settings.client_id, Some(self.settings.client_secret.expose()))
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body("grant_type=client_credentials");
            let (error, asked) = match exchange(request, &self.limits, self.clock.as_ref()).await {
                Reply::Answer(answer) if !answer.passes() => {
                    let granted = token_answer::read(&answer, self.clock.now())?;
                    let until = asked_at.saturating_add(token_answer::use_for(granted.lifetime, self.limits.token_age));
                    return Ok(Kept { token: granted.token, until });
                }
                Reply::Answer(answer) => (LogInError::Unavailable { status: answer.status }, answer.retry_after),
                Reply::NotConnected(no) => (no.into(), None),
                Reply::Lost(why) => (LogInError::Lost(why), None),
                Reply::TimedOut => return Err(LogInError::TimedOut(self.limits.request_timeout).into()),
            };
            if *tries >= self.limits.tries {
                return Err(NoToken { error, tries: Some(*tries) });
            }
            tokio::time::sleep(pause(&self.limits, *tries, asked, self.random.as_ref())).await;
        }
    }
}

/// The header that shows a token. A token is only kept if it can be a header.
pub(super) fn bearer(token: &Secret) -> HeaderValue {
    let header = HeaderValue::try_from(format!("Bearer {}", token.expose()));
    let mut header = header.unwrap_or(HeaderValue::from_static("Bearer"));
    header.set_sensitive(true);
    header
}
