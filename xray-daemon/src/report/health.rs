//! Health and readiness: `/healthz`, `/readyz`, `xray-daemon health`.
//!
//! Judged when asked, from the counters and the state of the other rooms; nothing is kept here. Health is about the
//! process, readiness about its way to X-Ray.

use std::sync::Arc;
use std::time::Duration;

use crate::aws::CredentialStore;
use crate::counters::{Counters, Heartbeat};
use crate::upload::Uploads;

/// The parts that health is judged by.
#[derive(Debug, Clone)]
pub struct Health {
    /// The documents.
    pub counters: Arc<Counters>,
    /// The receiving thread.
    pub heartbeat: Arc<Heartbeat>,
    /// The credentials.
    pub credentials: Arc<CredentialStore>,
    /// The documents that wait.
    pub uploads: Uploads,
    /// `true` if the TCP proxy listens.
    pub relay_listens: bool,
}

/// A receiving thread that has been silent for longer is stuck.
pub const SILENCE: Duration = Duration::from_secs(5);

/// Documents that wait for longer without one that X-Ray accepts make the daemon unready.
pub const STALL: Duration = Duration::from_secs(5 * 60);

impl Health {
    /// Checks that the process does anything at all.
    ///
    /// One that does not should be restarted.
    ///
    /// # Errors
    ///
    /// The reason, as a sentence.
    pub fn alive(&self) -> Result<(), String> {
        let age = self.heartbeat.age();
        if age < SILENCE {
            return Ok(());
        }
        Err(format!("the receiving thread has not moved for {} s", age.as_secs()))
    }

    /// Checks that documents reach X-Ray. A restart seldom helps one that is not ready.
    ///
    /// # Errors
    ///
    /// Every reason, as a sentence each.
    pub fn ready(&self) -> Result<(), Vec<String>> {
        let counts = self.counters.snapshot();
        let mut reasons = Vec::new();
        if let Err(reason) = self.alive() {
            reasons.push(reason);
        }
        if !self.relay_listens {
            reasons.push(
                "the TCP proxy does not listen: see the log for `proxy http server failed to listen`"
                    .to_owned(),
            );
        }
        let status = self.credentials.status();
        if status.source.is_none() {
            let why = status.failure.clone().unwrap_or_else(|| "not yet searched for".to_owned());
            reasons.push(format!("no credentials: {why}"));
        }
        if counts.denied && status.source.is_some() {
            reasons.push("X-Ray denies the calls: see the log for the action that the role lacks".to_owned());
        }
        let since = counts.last_success.map_or(Duration::ZERO, Duration::from_secs);
        let waited = self.heartbeat.uptime().saturating_sub(since);
        // A document that has just come says nothing, however long ago the last success was.
        let is_old = self.uploads.oldest_age().is_some_and(|age| age >= STALL) || counts.spooled > 0;
        if is_old && waited >= STALL {
            let waiting = counts.held + counts.spooled;
            reasons.push(format!(
                "{waiting} documents wait, and X-Ray has accepted none for {} s",
                waited.as_secs()
            ));
        }
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }

    /// The verdict as one line, and whether it is good.
    #[must_use]
    pub fn verdict(&self, of_readiness: bool) -> (bool, String) {
        let result = if of_readiness { self.ready() } else { self.alive().map_err(|reason| vec![reason]) };
        match result {
            Ok(()) if of_readiness => (true, "ready".to_owned()),
            Ok(()) => (true, "healthy".to_owned()),
            Err(reasons) if of_readiness => (false, format!("not ready: {}", reasons.join("; "))),
            Err(reasons) => (false, format!("unhealthy: {}", reasons.join("; "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;

    use super::*;
    use crate::aws::Clock;
    use crate::upload;

    fn health() -> Health {
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        let counters = Arc::new(Counters::default());
        let settings = upload::Settings {
            memory: 1 << 24,
            concurrency: 8,
            max_age: Duration::from_secs(3600),
            spool: None,
        };
        let engine = upload::Engine::new(settings, None, Arc::clone(&counters), 1);
        Health {
            counters,
            uploads: Uploads::new(engine, upload::Clock::start()),
            heartbeat: Arc::default(),
            credentials: Arc::new(CredentialStore::fixed(credentials, Arc::new(Clock::default()))),
            relay_listens: true,
        }
    }

    #[test]
    fn a_fresh_daemon_with_credentials_is_ready() {
        assert_eq!(health().verdict(false), (true, "healthy".into()));
        assert_eq!(health().verdict(true), (true, "ready".into()));
    }

    #[test]
    fn every_reason_is_named() {
        let health = Health { relay_listens: false, ..health() };
        health.counters.update(|counts| counts.denied = true);
        let (is_good, line) = health.verdict(true);
        assert!(!is_good);
        assert!(line.starts_with("not ready: the TCP proxy") && line.contains("; X-Ray denies"), "{line}");
        assert!(health.verdict(false).0, "a denied daemon lives");
    }
}
