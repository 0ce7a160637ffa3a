//! [`RuleSpec`]: which requests a rule is for, how many, in which order. Read from the service's
//! JSON; nothing here changes afterwards.

use std::sync::Arc;

use serde_json::Value;

use crate::sampling::SamplingRequest;
use crate::sampling::wildcard::Pattern;

/// A rule as the service has it (X-Ray API reference, `SamplingRule`).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RuleSpec {
    pub(super) name: Arc<str>,
    pub(super) priority: i64,
    /// The share that is drawn, from 0 to 1.
    pub(super) rate: f64,
    /// Traces a second, of all services together. 0 forbids borrowing.
    pub(super) reservoir: u32,
    /// The highest rate of a boost, if the rule may have one.
    pub(super) boost_limit: Option<f64>,
    pub(super) service: Pattern,
    pub(super) service_type: Pattern,
    pub(super) host: Pattern,
    pub(super) method: Pattern,
    pub(super) path: Pattern,
    resource_arn: Pattern,
    attributes: Box<[(Box<str>, Pattern)]>,
    /// Set if the rule has no condition at all.
    for_all: bool,
    /// Set if the rule has conditions on path, method, service and host only.
    plain: bool,
}

impl RuleSpec {
    /// Parses a record of the service's response. `None` for one that this version of the rules' form can't express.
    pub(super) fn from_record(record: &Value) -> Option<Self> {
        let rule = record.get("SamplingRule")?;
        if rule.get("Version")?.as_i64()? != 1 {
            return None;
        }
        let text = |member| rule.get(member)?.as_str();
        let rate = rule.get("FixedRate")?.as_f64()?;
        let boost = rule.get("SamplingRateBoost").and_then(|boost| boost.get("MaxRate")?.as_f64());
        let attributes = match rule.get("Attributes") {
            None | Some(Value::Null) => Box::default(),
            Some(attributes) => {
                let pairs = attributes.as_object()?.iter();
                let compiled =
                    pairs.map(|(key, value)| Some((key.as_str().into(), Pattern::new(value.as_str()?))));
                compiled.collect::<Option<_>>()?
            }
        };
        let name: Arc<str> = text("RuleName")?.into();
        let any = || Pattern::new("*");
        // The default rule is for everything, whatever its record says.
        let is_default = &*name == DEFAULT;
        let attributes = if is_default { Box::default() } else { attributes };
        let pattern = |member| if is_default { Some(any()) } else { text(member).map(Pattern::new) };
        let [service, service_type, host] =
            [pattern("ServiceName")?, pattern("ServiceType")?, pattern("Host")?];
        let [method, path] = [pattern("HTTPMethod")?, pattern("URLPath")?];
        let resource_arn = pattern("ResourceARN")?;
        let plain = service_type.is_any() && resource_arn.is_any() && attributes.is_empty();
        let for_all = plain && [&service, &host, &method, &path].into_iter().all(Pattern::is_any);
        Some(Self {
            name,
            priority: rule.get("Priority")?.as_i64()?,
            rate: rate.clamp(0.0, 1.0),
            reservoir: rule.get("ReservoirSize")?.as_u64()?.try_into().unwrap_or(u32::MAX),
            boost_limit: boost,
            service,
            service_type,
            host,
            method,
            path,
            resource_arn,
            attributes,
            for_all,
            plain,
        })
    }

    /// The rule that takes what no other wants.
    pub(super) fn is_default(&self) -> bool {
        &*self.name == DEFAULT
    }

    /// Returns the order of rules: priority, then name, and the default last whatever its priority.
    pub(super) fn order(&self) -> (bool, i64, &str) {
        (self.is_default(), self.priority, &self.name)
    }

    #[inline]
    pub(super) fn matches(&self, request: &SamplingRequest<'_>) -> bool {
        self.for_all || self.matches_conditions(request)
    }

    fn matches_conditions(&self, request: &SamplingRequest<'_>) -> bool {
        self.path.matches_if_known(request.path())
            && self.method.matches_if_known(request.method())
            && self.service.matches_if_known(request.service())
            && self.host.matches_if_known(request.host())
            && (self.plain || self.matches_details(request))
    }

    /// Conditions that most rules don't have. Those on the resource and on attributes a request has to meet by something
    /// known: such a condition means certain requests only.
    #[cold]
    fn matches_details(&self, request: &SamplingRequest<'_>) -> bool {
        let arn = &self.resource_arn;
        let type_matches = self.service_type.matches_if_known(request.service_type());
        type_matches
            && (arn.is_any() || request.resource_arn().is_some_and(|known| arn.matches(known)))
            && self
                .attributes
                .iter()
                .all(|(key, pattern)| request.attribute(key).is_some_and(|value| pattern.matches(&value)))
    }
}

/// The name of the rule that every account has.
const DEFAULT: &str = "Default";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::Attributes;
    use serde_json::json;
    use std::borrow::Cow;

    fn rule(change: &[(&str, Value)]) -> Value {
        let mut rule = json!({
            "RuleName": "checkout", "RuleARN": "arn:aws:xray:eu-west-1:123456789012:sampling-rule/checkout",
            "ResourceARN": "*", "Priority": 100, "FixedRate": 0.1, "ReservoirSize": 5, "ServiceName": "*",
            "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1, "Attributes": {}
        });
        for (member, value) in change {
            match value {
                Value::Null => drop(rule.as_object_mut().unwrap().remove(*member)),
                _ => rule[*member] = value.clone(),
            }
        }
        json!({ "SamplingRule": rule, "CreatedAt": 0.0, "ModifiedAt": 1.0 })
    }

    fn spec(change: &[(&str, Value)]) -> RuleSpec {
        RuleSpec::from_record(&rule(change)).unwrap()
    }

    #[derive(Debug)]
    struct Tenant(&'static str);
    impl Attributes for Tenant {
        fn attribute(&self, key: &str) -> Option<Cow<'_, str>> {
            (key == "tenant").then_some(Cow::Borrowed(self.0))
        }
    }

    #[test]
    fn every_condition_has_a_say() {
        let request = SamplingRequest::new("shop")
            .with_host("shop.example.com")
            .with_method("GET")
            .with_path("/cart")
            .with_service_type("AWS::ECS::Container")
            .with_resource_arn("arn:aws:ecs:eu-west-1:123456789012:container/7")
            .with_attributes(&Tenant("blue"));
        for (member, matching, other) in [
            ("ServiceName", json!("sh?p"), json!("cart")),
            ("ServiceType", json!("aws::ecs::*"), json!("AWS::EC2::Instance")),
            ("Host", json!("*.example.com"), json!("*.example.org")),
            ("HTTPMethod", json!("get"), json!("POST")),
            ("URLPath", json!("/c*"), json!("/d*")),
            ("ResourceARN", json!("arn:aws:ecs:*"), json!("arn:aws:ec2:*")),
            ("Attributes", json!({"tenant": "bl*"}), json!({"tenant": "red"})),
            ("Attributes", json!({}), json!({"region": "*"})),
        ] {
            assert!(spec(&[(member, matching)]).matches(&request), "{member}");
            let other = spec(&[(member, other)]);
            assert!(!other.matches(&request), "{member}");
            let unknown_matches = !matches!(member, "ResourceARN" | "Attributes");
            assert_eq!(other.matches(&SamplingRequest::default()), unknown_matches, "{member}");
        }
    }

    #[test]
    fn records_that_lack_what_a_rule_needs_are_passed_over() {
        for member in
            ["RuleName", "Priority", "FixedRate", "ReservoirSize", "ServiceName", "ServiceType", "Host"]
        {
            assert_eq!(RuleSpec::from_record(&rule(&[(member, Value::Null)])), None, "{member}");
        }
        assert_eq!(RuleSpec::from_record(&rule(&[("Version", json!(2))])), None);
        assert_eq!(RuleSpec::from_record(&rule(&[("ReservoirSize", json!(-1))])), None);
        assert_eq!(RuleSpec::from_record(&json!(7)), None);
        assert!(RuleSpec::from_record(&rule(&[("Attributes", Value::Null)])).is_some());
    }

    #[test]
    fn the_default_takes_everything_and_comes_last() {
        let default = spec(&[("RuleName", json!("Default")), ("Priority", json!(1)), ("Host", json!("x"))]);
        assert!(default.matches(&SamplingRequest::new("shop").with_host("y")));
        let mut rules = [default, spec(&[("RuleName", json!("b"))]), spec(&[("RuleName", json!("a"))])];
        rules.sort_by(|a, b| a.order().cmp(&b.order()));
        assert_eq!(rules.map(|rule| rule.name.to_string()), ["a", "b", "Default"]);
    }

    #[test]
    fn a_boost_has_its_limit() {
        let boost = json!({"MaxRate": 0.5, "CooldownWindowMinutes": 10});
        assert_eq!(spec(&[("SamplingRateBoost", boost)]).boost_limit, Some(0.5));
        assert_eq!(spec(&[]).boost_limit, None);
    }
}
