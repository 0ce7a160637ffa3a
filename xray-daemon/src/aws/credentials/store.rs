//! The credentials in use: kept, renewed before they expire, and fetched again if refused.
//!
//! A search that fails is remembered for `PAUSE`, so that a daemon without credentials does not ask the metadata
//! service for each document. Credentials that are still valid stay in use when a renewal fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use log::{error, info};
use tokio::time::{Instant, timeout};

use super::chain::{Found, Search};
use crate::aws::call::CallError;
use crate::aws::clock::Clock;

/// The credentials in use.
#[derive(Debug)]
pub struct CredentialStore {
    search: Option<Search>,
    clock: Arc<Clock>,
    /// Held during a search, so that there is one at a time.
    state: tokio::sync::Mutex<State>,
    status: Mutex<CredentialStatus>,
    /// `true` if X-Ray has refused what was found.
    is_refused: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    found: Option<Found>,
    searched: Option<Instant>,
    failure: Option<String>,
}

/// The credentials as the log, `/metrics` and `config check` show them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialStatus {
    /// The source of the credentials; none before the first search that found some.
    pub source: Option<&'static str>,
    /// The access key's id, of which a log may show all.
    pub access_key_id: Option<String>,
    /// The time at which the credentials expire; none for those that don't.
    pub expires: Option<SystemTime>,
    /// The reason why the last search failed; none if it did not.
    pub failure: Option<String>,
}

impl CredentialStore {
    pub(in crate::aws) fn new(search: Search, clock: Arc<Clock>) -> Self {
        Self::empty(Some(search), clock)
    }

    /// A store with credentials that never change, for tests and for embedding.
    #[must_use]
    pub fn fixed(credentials: Credentials, clock: Arc<Clock>) -> Self {
        let found = Found { credentials, source: "fixed" };
        let store = Self::empty(None, clock);
        store.note(&found);
        Self { state: tokio::sync::Mutex::new(State { found: Some(found), ..State::default() }), ..store }
    }

    fn empty(search: Option<Search>, clock: Arc<Clock>) -> Self {
        let state = tokio::sync::Mutex::default();
        Self { search, clock, state, status: Mutex::default(), is_refused: AtomicBool::new(false) }
    }

    /// The credentials to sign with, searched for if there are none that are good for another `MARGIN`.
    ///
    /// # Errors
    ///
    /// [`CallError::NoCredentials`] if no place has any.
    pub async fn get(&self) -> Result<Credentials, CallError> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        let left = state.found.as_ref().map(|found| time_left(&found.credentials, now));
        if let (Some(found), Some(left)) = (&state.found, left)
            && left > MARGIN
            && !self.is_refused.load(Ordering::Relaxed)
        {
            return Ok(found.credentials.clone());
        }
        let is_recent = state.searched.is_some_and(|searched| searched.elapsed() < PAUSE);
        let Some(search) = self.search.as_ref().filter(|_| !is_recent) else {
            return still_valid(&state, left);
        };
        self.is_refused.store(false, Ordering::Relaxed);
        state.searched = Some(Instant::now());
        match timeout(SEARCH_LIMIT, search.run()).await {
            Ok(Ok(found)) => {
                self.announce(&found);
                self.note(&found);
                let credentials = found.credentials.clone();
                state.found = Some(found);
                state.failure = None;
                Ok(credentials)
            }
            Ok(Err(reason)) => self.failed(&mut state, left, reason),
            Err(_) => {
                self.failed(&mut state, left, format!("no credentials within {} s", SEARCH_LIMIT.as_secs()))
            }
        }
    }

    /// Has the next [`CredentialStore::get`] search again, but not twice within `PAUSE`.
    ///
    /// For credentials that X-Ray does not take: expired, or unknown.
    pub fn refuse(&self) {
        self.is_refused.store(true, Ordering::Relaxed);
    }

    /// Returns what is known of the credentials, without a search.
    #[must_use]
    pub fn status(&self) -> CredentialStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failed(
        &self,
        state: &mut State,
        left: Option<Duration>,
        reason: String,
    ) -> Result<Credentials, CallError> {
        if state.failure.as_ref() != Some(&reason) {
            error!("Unable to retrieve credentials: {reason}");
        }
        self.status.lock().unwrap_or_else(PoisonError::into_inner).failure = Some(reason.clone());
        state.failure = Some(reason);
        still_valid(state, left)
    }

    /// One line when credentials were found for the first time, or come from elsewhere than before.
    fn announce(&self, found: &Found) {
        let known = self.status();
        if known.source != Some(found.source) || known.failure.is_some() {
            let key = found.credentials.access_key_id();
            match found.credentials.expiry() {
                Some(expiry) => {
                    let minutes = time_left_until(expiry, self.clock.now()).as_secs() / 60;
                    info!("Using credentials from {}: {key}, valid for {minutes} minutes", found.source);
                }
                None => info!("Using credentials from {}: {key}", found.source),
            }
        }
    }

    fn note(&self, found: &Found) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = CredentialStatus {
            source: Some(found.source),
            access_key_id: Some(found.credentials.access_key_id().to_owned()),
            expires: found.credentials.expiry(),
            failure: None,
        };
    }
}

/// Credentials that are good for longer than this are not renewed.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// The pause after a search that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest that one search may take.
const SEARCH_LIMIT: Duration = Duration::from_secs(15);

fn still_valid(state: &State, left: Option<Duration>) -> Result<Credentials, CallError> {
    match (&state.found, left) {
        (Some(found), Some(left)) if !left.is_zero() => Ok(found.credentials.clone()),
        _ => {
            let reason = state.failure.as_deref().unwrap_or("those that were found have expired");
            Err(CallError::NoCredentials(reason.to_owned()))
        }
    }
}

fn time_left(credentials: &Credentials, now: SystemTime) -> Duration {
    credentials.expiry().map_or(Duration::MAX, |expiry| time_left_until(expiry, now))
}

fn time_left_until(expiry: SystemTime, now: SystemTime) -> Duration {
    expiry.duration_since(now).unwrap_or_default()
}
