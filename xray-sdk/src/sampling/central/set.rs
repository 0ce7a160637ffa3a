//! All rules of one fetch, in order, and how the one for a request is found in nanoseconds.
//!
//! Most rules are for other requests than this one, and most of them tell so by the first bytes of a pattern. So
//! a [`Head`] is asked first: two words for a rule, two for the request, compared without a branch. What passes
//! is compared in full.

use std::sync::Arc;

use super::rule::RuleSpec;
use super::state::{Allowance, RuleState};
use crate::sampling::wildcard::{CASE, Pattern};
use crate::sampling::{SamplingRequest, Verdict};

#[derive(Debug)]
pub(super) struct RuleSet {
    /// One for each rule, apart from them: a search reads these alone.
    heads: Box<[Head]>,
    rules: Box<[Rule]>,
    /// The last second in which these rules hold, since 1970.
    expires: u32,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) spec: RuleSpec,
    pub(super) state: Arc<RuleState>,
}

impl Rule {
    #[inline]
    pub(super) fn decide(&self, now: u32, random: impl FnOnce() -> u64) -> Verdict {
        let may_boost = self.spec.boost_limit.is_some();
        self.state.decide(Allowance { may_borrow: self.spec.reservoir > 0, may_boost }, now, random)
    }
}

impl RuleSet {
    /// Puts freshly fetched rules in order. Those that `former` has, too, go on with their state.
    pub(super) fn new(mut specs: Vec<RuleSpec>, former: Option<&Self>, expires: u32) -> Self {
        specs.sort_by(|a, b| a.order().cmp(&b.order()));
        specs.dedup_by(|later, earlier| later.name == earlier.name);
        let heads = specs.iter().map(Head::of_rule).collect();
        let rules = specs.into_iter().map(|spec| {
            let state = match former.and_then(|former| former.by_name(&spec.name)) {
                Some(known) => {
                    // The targets may have said another rate since; only a change of the rule overrules them.
                    if known.spec.rate != spec.rate {
                        known.state.set_rate(spec.rate);
                    }
                    Arc::clone(&known.state)
                }
                None => Arc::new(RuleState::new(Arc::clone(&spec.name), spec.rate)),
            };
            Rule { spec, state }
        });
        Self { heads, rules: rules.collect(), expires }
    }

    /// Whether the rules are too old to be obeyed.
    #[inline]
    pub(super) fn is_expired(&self, now: u32) -> bool {
        now > self.expires
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(super) fn by_name(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| &*rule.spec.name == name)
    }

    /// The rule that a verdict came from, if it is still there.
    pub(super) fn by_number(&self, number: u32) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.state.number() == number)
    }

    /// The first rule that is for the request.
    #[inline]
    pub(super) fn find(&self, request: &SamplingRequest<'_>) -> Option<&Rule> {
        let head = Head::of_request(request);
        let mut candidates = self.heads.iter().zip(&self.rules);
        candidates
            .find(|(rule, full)| rule.may_match(&head) && full.spec.matches(request))
            .map(|(_, rule)| rule)
    }
}

/// The first bytes of path (eight), service (four), method and host (two each), case folded, and which of their
/// bits count.
///
/// Of a rule, what counts is what stands before the first wildcard; of a request, all that is known.
#[derive(Clone, Copy, Debug)]
struct Head {
    words: [u64; 2],
    masks: [u64; 2],
}

impl Head {
    fn of_rule(spec: &RuleSpec) -> Self {
        let [path, service, method, host] =
            [&spec.path, &spec.service, &spec.method, &spec.host].map(Pattern::literal_head);
        let mask = |head: &[u8], lane: u32| low_bytes(head.len().min(lane as usize) as u32);
        Self {
            words: pack(fold(path), fold(service), fold(method), fold(host)),
            masks: pack(mask(path, 8), mask(service, 4), mask(method, 2), mask(host, 2)),
        }
    }

    #[inline]
    fn of_request(request: &SamplingRequest<'_>) -> Self {
        let [path, service, method, host] =
            [request.path(), request.service(), request.method(), request.host()];
        let word = |text: Option<&str>| text.map_or(0, |text| fold(text.as_bytes()));
        let mask = |text: Option<&str>| if text.is_some() { u64::MAX } else { 0 };
        Self {
            words: pack(word(path), word(service), word(method), word(host)),
            masks: pack(mask(path), mask(service), mask(method), mask(host)),
        }
    }

    /// `false` only if the rule is certainly not for the request.
    #[inline]
    fn may_match(&self, request: &Self) -> bool {
        let differ = |i: usize| (self.words[i] ^ request.words[i]) & self.masks[i] & request.masks[i];
        differ(0) | differ(1) == 0
    }
}

#[inline]
fn pack(path: u64, service: u64, method: u64, host: u64) -> [u64; 2] {
    let (method, host) = (method & low_bytes(2), host & low_bytes(2));
    [path, service & low_bytes(4) | method << 32 | host << 48]
}

const fn low_bytes(bytes: u32) -> u64 {
    if bytes >= 8 { u64::MAX } else { (1 << (bytes * 8)) - 1 }
}

/// The first eight bytes, whatever their case. Some that are not the same letter fall together, which costs a
/// comparison in full now and then.
#[inline]
fn fold(text: &[u8]) -> u64 {
    let word = match text.first_chunk::<8>() {
        Some(first) => u64::from_le_bytes(*first),
        None => short(text),
    };
    word | CASE
}

/// At most seven bytes as a word, in four steps at most.
#[inline]
fn short(text: &[u8]) -> u64 {
    let (mut rest, mut word, mut at) = (text, 0, 0);
    if let Some((four, after)) = rest.split_first_chunk::<4>() {
        (word, at, rest) = (u64::from(u32::from_le_bytes(*four)), 32, after);
    }
    if let Some((two, after)) = rest.split_first_chunk::<2>() {
        word |= u64::from(u16::from_le_bytes(*two)) << at;
        (at, rest) = (at + 16, after);
    }
    if let Some(one) = rest.first() {
        word |= u64::from(*one) << at;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn spec(name: &str, priority: i64, path: &str, method: &str) -> RuleSpec {
        RuleSpec::from_record(&json!({"SamplingRule": {
            "RuleName": name, "ResourceARN": "*", "Priority": priority, "FixedRate": 0.5, "ReservoirSize": 1,
            "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": method, "URLPath": path,
            "Version": 1
        }}))
        .unwrap()
    }

    #[test]
    fn the_first_match_in_order_decides() {
        let specs = vec![
            spec("Default", 10_000, "*", "*"),
            spec("late", 9, "/a*", "*"),
            spec("early", 1, "/ab*", "GET"),
        ];
        let set = RuleSet::new(specs, None, 0);
        let found = |path, method| {
            let request = SamplingRequest::new("shop").with_path(path).with_method(method);
            set.find(&request).unwrap().spec.name.to_string()
        };
        for (path, method, expected) in [
            ("/abc", "get", "early"),
            ("/abc", "POST", "late"),
            ("/A", "GET", "late"),
            ("/", "GET", "Default"),
        ] {
            assert_eq!(found(path, method), expected, "{method} {path}");
        }
        assert_eq!(&*set.find(&SamplingRequest::default()).unwrap().spec.name, "early");
    }

    #[test]
    fn a_rule_that_comes_again_goes_on_and_one_that_changed_has_the_new_rate() {
        let first = RuleSet::new(vec![spec("a", 1, "*", "*"), spec("b", 2, "*", "*")], None, 0);
        first.rules()[0].state.set_rate(0.75);
        let mut changed = spec("b", 2, "*", "*");
        changed.rate = 1.0;
        let second = RuleSet::new(vec![spec("a", 1, "*", "*"), changed], Some(&first), 0);
        for (old, new) in first.rules().iter().zip(second.rules()) {
            assert!(Arc::ptr_eq(&old.state, &new.state));
        }
        let drawn = |rule: &Rule, random| {
            let nothing = Allowance { may_borrow: false, may_boost: false };
            rule.state.decide(nothing, 1, || random).is_sampled()
        };
        assert!(drawn(&second.rules()[0], u64::MAX / 10 * 7), "the target's rate stays");
        assert!(drawn(&second.rules()[1], u64::MAX), "the rule's own change counts");
    }

    proptest! {
        #[test]
        fn heads_never_hide_a_match(
            path in "[/aA@`*?]{0,10}", text in "[/aA@`]{0,10}", method in "(GET|get|\\*|G\\*|P?T)",
        ) {
            let spec = spec("rule", 1, &path, &method);
            let request = SamplingRequest::new("shop").with_path(&text).with_method("GET");
            let may = Head::of_rule(&spec).may_match(&Head::of_request(&request));
            prop_assert!(may || !spec.matches(&request));
        }
    }
}
