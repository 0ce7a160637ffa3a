//! All rules of one fetch, in order, and how the one for a request is found in nanoseconds.
//!
//! Most rules are for other requests than this one, and most of them show so by a few bytes of a pattern. So
//! [`Prefilter`] are asked first: three words of a rule, three of the request, four rules side by side without a branch.
//! Rules that pass are compared in full.

use std::sync::Arc;

use super::rule::RuleSpec;
use super::rule_state::{Allowance, RuleState};
use crate::sampling::wildcard::{CASE, Pattern};
use crate::sampling::{SamplingRequest, SamplingResult};

#[derive(Debug)]
pub(super) struct RuleSet {
    /// Those of four rules each, apart from them: a search reads these alone.
    prefilters: Box<[Prefilter]>,
    /// The start of the last word in a path.
    offset: usize,
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
    pub(super) fn decide(&self, now: u32, random: impl FnOnce() -> u64) -> SamplingResult {
        let may_boost = self.spec.boost_limit.is_some();
        self.state.decide(Allowance { may_borrow: self.spec.reservoir > 0, may_boost }, now, random)
    }
}

impl RuleSet {
    /// Puts freshly fetched rules in order. Those that `former` has, too, go on with their state.
    pub(super) fn new(mut specs: Vec<RuleSpec>, former: Option<&Self>, expires: u32) -> Self {
        specs.sort_by(|a, b| a.order().cmp(&b.order()));
        specs.dedup_by(|later, earlier| later.name == earlier.name);
        let offset = best_offset(&specs);
        let prefilters = specs.chunks(SIDE_BY_SIDE).map(|specs| Prefilter::of_rules(specs, offset)).collect();
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
        Self { prefilters, offset, rules: rules.collect(), expires }
    }

    /// Returns whether the rules are too old to be applied.
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
        let Some(words) = words_of(request, self.offset) else {
            return self.rules.iter().find(|rule| rule.spec.matches(request));
        };
        for (group, prefilters) in self.prefilters.iter().enumerate() {
            let mut candidates = prefilters.candidates(words);
            while candidates != 0 {
                let lane = candidates.trailing_zeros() as usize;
                let rule = self.rules.get(group * SIDE_BY_SIDE + lane)?;
                if rule.spec.matches(request) {
                    return Some(rule);
                }
                candidates &= candidates - 1;
            }
        }
        None
    }
}

/// The beginnings of a request's properties that four rules want, and which bits of it count: what stands
/// before a pattern's first wildcard. A word of each rule lies beside the same word of the others, as processors
/// compare them.
#[derive(Clone, Copy, Debug, Default)]
struct Prefilter {
    words: [[u64; SIDE_BY_SIDE]; 3],
    masks: [[u64; SIDE_BY_SIDE]; 3],
}

impl Prefilter {
    fn of_rules(specs: &[RuleSpec], offset: usize) -> Self {
        let mut prefilters = Self::default();
        for (lane, spec) in specs.iter().enumerate() {
            let texts = [&spec.path, &spec.service, &spec.method, &spec.host].map(Pattern::literal_head);
            let words = words_by(texts, offset, fold);
            let masks = words_by(texts, offset, |text| low_bytes(text.len()));
            for word in 0..3 {
                (prefilters.words[word][lane], prefilters.masks[word][lane]) = (words[word], masks[word]);
            }
        }
        prefilters
    }

    /// A bit for each rule that may be for the request; none for one that certainly isn't.
    #[inline]
    fn candidates(&self, request: [u64; 3]) -> u32 {
        let differ = |lane: usize| {
            let of = |word: usize| (self.words[word][lane] ^ request[word]) & self.masks[word][lane];
            of(0) | of(1) | of(2)
        };
        (0..SIDE_BY_SIDE).fold(0, |bits, lane| bits | u32::from(differ(lane) == 0) << lane)
    }
}

/// The words of a request. `None` if one of its properties is unknown, which no word says.
#[inline]
fn words_of(request: &SamplingRequest<'_>, offset: usize) -> Option<[u64; 3]> {
    let texts = [request.path()?, request.service()?, request.method()?, request.host()?];
    Some(words_by(texts.map(str::as_bytes), offset, fold))
}

/// The first eight bytes of the path; four of the service, two of method and host each; eight further ones of the
/// path.
#[inline]
fn words_by(
    [path, service, method, host]: [&[u8]; 4],
    offset: usize,
    word: impl Fn(&[u8]) -> u64,
) -> [u64; 3] {
    let (method, host) = (word(method) & low_bytes(2), word(host) & low_bytes(2));
    [word(path), word(service) & low_bytes(4) | method << 32 | host << 48, word(from(path, offset))]
}

/// Rules whose heads are compared together.
const SIDE_BY_SIDE: usize = 4;

/// Finds the eight bytes of a path that best distinguish rules that begin alike: behind the `/api/v1/` that they have in
/// common. What counts is how many rules one would be taken for, as far as heads say.
fn best_offset(specs: &[RuleSpec]) -> usize {
    let prefilters: Vec<&[u8]> = specs.iter().map(|spec| spec.path.literal_head()).collect();
    let alike = |a: &[u8], b: &[u8]| (fold(a) ^ fold(b)) & low_bytes(b.len()) == 0;
    // Whatever the window: most rules begin differently.
    let pairs: Vec<(&[u8], &[u8])> = prefilters
        .iter()
        .flat_map(|a| prefilters.iter().map(move |b| (*a, *b)))
        .filter(|(a, b)| !std::ptr::eq(*a, *b) && !b.is_empty() && alike(a, b))
        .take(MOST_PAIRS)
        .collect();
    let confused = |at: &usize| pairs.iter().filter(|(a, b)| alike(from(a, *at), from(b, *at))).count();
    (LANE..=MAX_OFFSET).min_by_key(confused).unwrap_or(LANE)
}

/// An account has some dozens of rules. With many more, not all of them are worth the look.
const MOST_PAIRS: usize = 10_000;

#[inline]
fn from(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}

/// Bytes in a word.
const LANE: usize = 8;

/// The largest offset in a path: prefixes that rules have in common are shorter.
const MAX_OFFSET: usize = 48;

/// A mask of the first `bytes` bytes of a word.
fn low_bytes(bytes: usize) -> u64 {
    if bytes >= LANE { u64::MAX } else { (1 << (bytes * 8)) - 1 }
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

/// At most seven bytes as a word, in three steps at most.
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

    #[test]
    fn the_window_lies_where_rules_differ_that_begin_alike() {
        let path = |i| if i < 6 { format!("/api/v1/resource{i}/*") } else { format!("/control/{i}") };
        let specs = (0..8).map(|i| spec(&format!("r{i}"), i, &path(i), "*")).collect();
        let set = RuleSet::new(specs, None, 0);
        let request = SamplingRequest::new("shop").with_path("/api/v1/resource4/7").with_method("GET");
        let words = words_of(&request.with_host("h"), set.offset).unwrap();
        let candidates: u32 =
            set.prefilters.iter().map(|prefilters| prefilters.candidates(words).count_ones()).sum();
        assert_eq!(candidates, 1, "with a offset at {}", set.offset);
    }

    proptest! {
        #[test]
        fn heads_never_hide_a_match(
            path in "[/aA@`*?]{0,10}", text in "[/aA@`]{0,10}", method in "(GET|get|\\*|G\\*|P?T)", offset in 0_usize..12,
        ) {
            let spec = spec("rule", 1, &path, &method);
            let request = SamplingRequest::new("shop").with_path(&text).with_method("GET").with_host("h");
            let set = RuleSet::new(vec![spec.clone()], None, 0);
            let prefilters = Prefilter::of_rules(std::slice::from_ref(&spec), offset);
            let may = words_of(&request, offset).is_none_or(|words| prefilters.candidates(words) & 1 == 1);
            prop_assert!(may || !spec.matches(&request));
            prop_assert_eq!(set.find(&request).is_some(), spec.matches(&request));
        }
    }
}
