//! Local rules at work. Each has a reservoir of its own and a lot for the rest; a request that no rule wants is the
//! default's.

use std::path::Path;

use super::error::{RuleProblem, RulesError};
use super::parse::parse;
use super::rule::LocalRule;
use crate::sampling::{DefaultRule, Sampler, SamplingRequest, SamplingResult};

/// Decides by rules that are kept beside the program.
///
/// ```
/// use xray_sdk::sampling::{LocalRule, LocalRules};
///
/// # fn main() -> Result<(), xray_sdk::sampling::RulesError> {
/// let health_checks = LocalRule::new(0, 0.0).path("/health*");
/// let from_code = LocalRules::new([health_checks], LocalRule::new(1, 0.05))?;
/// let from_text = LocalRules::from_json(
///     r#"{"version": 2,
///         "rules": [{"host": "*", "http_method": "GET", "url_path": "/health*",
///                    "fixed_target": 0, "rate": 0}],
///         "default": {"fixed_target": 1, "rate": 0.05}}"#,
/// )?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct LocalRules {
    rules: Box<[(LocalRule, DefaultRule)]>,
    default: DefaultRule,
}

impl LocalRules {
    /// Rules in their order, and the one for what no rule wants. Conditions of the default are not looked at.
    ///
    /// # Errors
    /// [`RulesError::Rule`] if a rate is not a number from 0 to 1.
    pub fn new(rules: impl IntoIterator<Item = LocalRule>, default: LocalRule) -> Result<Self, RulesError> {
        let default = limits(0, &default)?;
        let with_limits = |(number, rule)| limits(number, &rule).map(|limits| (rule, limits));
        let rules = (1..).zip(rules).map(with_limits).collect::<Result<_, _>>()?;
        Ok(Self { rules, default })
    }

    /// Rules in the official SDKs' form, version 1 or 2.
    ///
    /// # Errors
    /// [`RulesError`] says which rule can't be used, and why.
    pub fn from_json(text: &str) -> Result<Self, RulesError> {
        let (rules, default) = parse(text)?;
        Self::new(rules, default)
    }

    /// Rules from a file, as [`from_json`](Self::from_json) takes them.
    ///
    /// # Errors
    /// [`RulesError`] if the file can't be read, or a rule can't be used.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, RulesError> {
        let path = path.as_ref();
        let read = |error| RulesError::Read { path: path.to_owned(), error };
        Self::from_json(&std::fs::read_to_string(path).map_err(read)?)
    }

    fn find(&self, request: &SamplingRequest<'_>) -> (u32, &DefaultRule) {
        let mut rules = (1..).zip(&self.rules);
        let found = rules.find(|(_, (rule, _))| rule.matches(request));
        found.map_or((0, &self.default), |(number, (_, limits))| (number, limits))
    }
}

/// X-Ray's default rule and no other: one trace a second, then 5 %.
impl Default for LocalRules {
    fn default() -> Self {
        Self { rules: Box::default(), default: DefaultRule::new() }
    }
}

impl Sampler for LocalRules {
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let (number, limits) = self.find(request);
        limits.sample(request).with_local_rule(number)
    }

    fn give_back(&self, result: &SamplingResult) {
        let rule = result.local_rule().and_then(|number| self.rules.get(number as usize - 1));
        rule.map_or(&self.default, |(_, limits)| limits).give_back(result);
    }
}

fn limits(number: usize, rule: &LocalRule) -> Result<DefaultRule, RulesError> {
    if (0.0..=1.0).contains(&rule.rate) {
        return Ok(DefaultRule::with_rates(rule.fixed_target, rule.rate));
    }
    let description = rule.description.as_deref().map(str::to_owned);
    Err(RulesError::Rule { number, description, problem: RuleProblem::Rate(rule.rate.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u32 = 1_700_000_000;

    fn request() -> SamplingRequest<'static> {
        SamplingRequest::new("shop").with_epoch_seconds(NOW)
    }

    fn file(version: u8, rules: &str) -> String {
        format!(r#"{{"version":{version},"rules":[{rules}],"default":{{"fixed_target":0,"rate":0}}}}"#)
    }

    #[test]
    fn both_versions_of_the_file_say_the_same() {
        for (version, host) in [(1, "service_name"), (2, "host")] {
            let rule = format!(
                r#"{{"description":"all of checkout","{host}":"*.example.com","http_method":"post",
                   "url_path":"/checkout*","fixed_target":0,"rate":1,"unheard_of":true}}"#
            );
            let rules = LocalRules::from_json(&file(version, &rule)).unwrap();
            let asked = request().with_host("shop.example.com").with_method("POST");
            assert!(rules.sample(&asked.with_path("/checkout/7")).is_sampled());
            assert!(!rules.sample(&asked.with_path("/cart")).is_sampled());
            assert!(!rules.sample(&asked.with_path("/checkout").with_method("GET")).is_sampled());
            assert!(!rules.sample(&asked.with_path("/checkout").with_host("example.org")).is_sampled());
            assert!(
                rules.sample(&request().with_path("/checkout")).is_sampled(),
                "an unknown host is a match"
            );
            assert!(!rules.sample(&request()).is_sampled(), "an unknown path is none");
        }
    }

    #[test]
    fn a_request_without_a_path_is_matched_only_where_no_path_is_asked_for() {
        for (path, sampled) in [(None, true), (Some("*"), true), (Some("/*"), false), (Some("/jobs"), false)]
        {
            let rule = LocalRule::new(0, 1.0);
            let rule = path.map_or_else(|| rule.clone(), |path| rule.clone().path(path));
            let rules = LocalRules::new([rule], LocalRule::new(0, 0.0)).unwrap();
            assert_eq!(rules.sample(&request()).is_sampled(), sampled, "{path:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_whole_numbers_with_a_fraction_are_accepted() {
        for (target, accepted) in [
            ("1.0", true),
            ("0.0", true),
            ("-0.0", true),
            ("4294967295.0", true),
            ("4294967296", false),
            ("0.5", false),
        ] {
            let text =
                format!("\u{feff}{{\"version\":2,\"default\":{{\"fixed_target\":{target},\"rate\":0}}}}");
            assert_eq!(LocalRules::from_json(&text).is_ok(), accepted, "{target}");
        }
        let path = std::env::temp_dir().join(format!("rules-{}.json", std::process::id()));
        std::fs::write(&path, "\u{feff}{\"version\":2.0,\"default\":{\"fixed_target\":1.0,\"rate\":0.0}}")
            .unwrap();
        let rules = LocalRules::from_file(&path);
        std::fs::remove_file(&path).unwrap();
        assert!(rules.unwrap().sample(&request()).is_sampled());
    }

    #[test]
    fn the_first_match_wins_and_then_the_default() {
        let rules = LocalRules::new(
            [
                LocalRule::new(0, 0.0).path("/health*"),
                LocalRule::new(0, 1.0).path("/h*").service("SHOP"),
                LocalRule::new(0, 0.0).path("/h*"),
            ],
            LocalRule::new(0, 1.0),
        )
        .unwrap();
        for (path, sampled) in [("/health", false), ("/home?x=/health", true), ("/", true)] {
            assert_eq!(rules.sample(&request().with_path(path)).is_sampled(), sampled, "{path}");
        }
        let other = SamplingRequest::new("other").with_path("/home");
        assert!(!rules.sample(&other).is_sampled());
    }

    #[test]
    fn each_rule_has_a_reservoir_and_gets_its_own_slot_back() {
        let one = || LocalRule::new(1, 0.0);
        let rules = LocalRules::new([one().path("/a"), one().path("/b")], one()).unwrap();
        let first: Vec<_> =
            ["/a", "/b", "/c"].map(|path| rules.sample(&request().with_path(path))).into_iter().collect();
        assert!(first.iter().all(SamplingResult::is_sampled));
        for (at, path) in ["/a", "/b", "/c"].iter().enumerate() {
            let asked = request().with_path(path);
            assert!(!rules.sample(&asked).is_sampled());
            rules.give_back(&first[at]);
            assert!(rules.sample(&asked).is_sampled(), "{path}");
        }
    }

    #[test]
    fn errors_say_which_rule_and_why() {
        let rule = |change: &str| {
            let whole = [
                (r#""host""#, r#""*""#),
                (r#""http_method""#, r#""*""#),
                (r#""url_path""#, r#""*""#),
                (r#""fixed_target""#, "1"),
                (r#""rate""#, "0.1"),
            ];
            let good = |members: &[(&str, &str)]| {
                let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            };
            let (key, value) = change.split_once('=').unwrap();
            let quoted = format!("\"{key}\"");
            let mut changed: Vec<_> = whole.iter().copied().filter(|(k, _)| *k != quoted).collect();
            if !value.is_empty() {
                changed.push((&quoted, value));
            }
            file(2, &format!("{},{}", good(&whole), good(&changed)))
        };
        for (text, expected) in [
            ("{".to_owned(), "sampling rules are not JSON: line 1, column 1"),
            ("[]".to_owned(), "sampling rules: the document must be an object"),
            ("{}".to_owned(), "sampling rules: `version` is missing, expected 1 or 2"),
            (file(3, ""), "sampling rules: `version` is 3, expected 1 or 2"),
            (r#"{"version":2}"#.to_owned(), "sampling rules: `default` is missing, expected a rule"),
            (
                r#"{"version":2,"default":{"fixed_target":1,"rate":1,"host":"*"}}"#.to_owned(),
                "default sampling rule: the default rule must not contain `host`",
            ),
            (
                r#"{"version":2,"default":{"fixed_target":1}}"#.to_owned(),
                "default sampling rule: `rate` is missing",
            ),
            (file(2, "1"), "sampling rule 1: the rule must be an object"),
            (rule("url_path="), "sampling rule 2: `url_path` is missing"),
            (rule("host=7"), "sampling rule 2: `host` must be a string"),
            (rule("rate=1.5"), "sampling rule 2: `rate` is 1.5, expected a number from 0 to 1"),
            (rule("rate=-0.1"), "sampling rule 2: `rate` is -0.1, expected a number from 0 to 1"),
            (rule("rate=\"x\""), "sampling rule 2: `rate` is \"x\", expected a number from 0 to 1"),
            (
                rule("fixed_target=-1"),
                "sampling rule 2: `fixed_target` is -1, expected a whole number from 0 to 4294967295",
            ),
            (
                rule("fixed_target=1.5"),
                "sampling rule 2: `fixed_target` is 1.5, expected a whole number from 0 to 4294967295",
            ),
            (
                rule("service_name=\"*\""),
                "sampling rule 2: `service_name` belongs to another version, use `host`",
            ),
            (file(2, r#"{"description":"checkout"}"#), "sampling rule 1 (\"checkout\"): `host` is missing"),
        ] {
            let err = LocalRules::from_json(&text).expect_err(expected);
            assert_eq!(err.to_string(), expected, "{text}");
        }
        assert!(LocalRules::new([], LocalRule::new(0, f64::NAN)).is_err());
        let missing = LocalRules::from_file("/no/such/file").expect_err("no such file");
        assert_eq!(missing.to_string(), "cannot read sampling rules from \"/no/such/file\"");
        assert!(std::error::Error::source(&missing).is_some());
    }

    #[test]
    fn the_built_in_rule_is_one_a_second_then_five_percent() {
        let rules = LocalRules::default();
        assert!(rules.sample(&request()).is_sampled());
        assert_eq!(rules.sample(&request()).reservoir_second(), None);
    }
}
