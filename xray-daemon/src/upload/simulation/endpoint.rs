//! The invented endpoint: its changes of weather, and its verdict on each batch.
//!
//! A document's id says how the endpoint treats it; the nouns are in `weather`.

use super::life::{Life, MS, S};
use super::weather::{UnderWay, WEATHERS, Weather, id_of, kind_of, number_of};
use crate::upload::verdict::{Unprocessed, Verdict};

impl Life {
    pub(super) fn change_weather(&mut self) {
        self.weather = WEATHERS[self.rng.usize(0..WEATHERS.len())];
        if let Weather::Throttling(after) = &mut self.weather {
            *after = self.rng.bool().then(|| self.rng.u32(0..20) * S);
        }
        self.weather_since = self.now;
        self.weather_until = self.now + self.rng.u32(100..40_000) * MS;
        self.disk_is_full = self.rng.u8(0..4) == 0;
    }

    pub(super) fn send(&mut self, id: u64, body: &[u8]) {
        #[derive(serde::Deserialize)]
        struct Body<'a> {
            #[serde(rename = "TraceSegmentDocuments", borrow)]
            documents: Vec<std::borrow::Cow<'a, str>>,
        }
        let documents = serde_json::from_slice::<Body<'_>>(body).unwrap().documents;
        assert!((1..=50).contains(&documents.len()), "seed {}", self.seed);
        assert!(body.len() <= self.settings.batch_bytes() || documents.len() == 1, "seed {}", self.seed);
        assert!(self.calls.len() < self.settings.concurrency, "seed {}: too many calls", self.seed);
        if matches!(self.weather, Weather::Down | Weather::Throttling(_))
            && self.now > self.weather_since + 8 * S
            && self.last_send > self.weather_since + 8 * S
        {
            let gap = self.now - self.last_send;
            assert!(gap >= S, "seed {}: {gap:?} between two probes", self.seed);
        }
        self.last_send = self.now;
        let latency = match self.weather {
            Weather::Slow => self.rng.u32(500..4_000) * MS,
            Weather::Hanging => 5 * S,
            _ => self.rng.u32(1..200) * MS,
        };
        let verdict = self.judge(&documents);
        let taken = match &verdict {
            Verdict::Accepted(unprocessed) => (documents.len() - unprocessed.len()) as u64,
            _ => 0,
        };
        self.calls.push(UnderWay { end: self.now + latency, id, taken, verdict });
    }

    /// Judges a batch as the endpoint does.
    fn judge(&mut self, documents: &[std::borrow::Cow<'_, str>]) -> Verdict {
        let why = String::new();
        match self.weather {
            Weather::Down => return Verdict::Unavailable(None, why),
            Weather::Hanging => {
                if self.rng.bool() {
                    self.accept(documents);
                }
                return Verdict::Unavailable(None, why);
            }
            Weather::Flaky if self.rng.u8(0..3) == 0 => return Verdict::Unavailable(None, why),
            Weather::Throttling(after) => return Verdict::Throttled(after, why),
            Weather::Denying => return Verdict::Denied(why),
            Weather::Expired => return Verdict::Expired(why),
            _ => {}
        }
        let has = |kind: &str| documents.iter().any(|document| kind_of(document) == kind);
        if has("poison") {
            return Verdict::Invalid(why);
        }
        if has("indigestible") && !self.healed {
            return Verdict::Unavailable(None, why);
        }
        Verdict::Accepted(self.accept(documents))
    }

    /// Takes documents, and returns those that it doesn't process.
    fn accept(&mut self, documents: &[std::borrow::Cow<'_, str>]) -> Vec<Unprocessed> {
        let mut unprocessed = Vec::new();
        for document in documents {
            let id = id_of(document);
            let code = match kind_of(document) {
                "unprocessed" => "ParseError",
                "later" if !self.healed && self.rng.bool() => "ThrottledException",
                "poison" => continue,
                _ => {
                    self.accepted.insert(number_of(id));
                    continue;
                }
            };
            let (id, error_code) = (Some(id.to_owned()), Some(code.to_owned()));
            unprocessed.push(Unprocessed { id, error_code, message: None });
        }
        unprocessed
    }
}
