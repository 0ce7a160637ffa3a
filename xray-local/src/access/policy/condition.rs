//! A statement's `Condition`: all its tests have to hold.
//!
//! This file decides what a missing key means, how negated operators treat several values, and what `ForAllValues` and
//! `ForAnyValue` do. The operators compare single values. Source: IAM user guide, "Condition operators" and
//! "Multivalued context keys".

use super::Context;
use super::json::Json;
use super::operator::{Operand, Operator, Quantifier, Test};

/// One operator, one key, and the values that it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    operator: Operator,
    /// In lower case.
    key: String,
    values: Vec<Operand>,
}

impl Condition {
    /// Reads `{"StringEquals": {"aws:username": ["a", "b"]}, …}`.
    ///
    /// # Errors
    /// An unknown operator, a key without a service's prefix, no value, or a value of the wrong type.
    pub(super) fn parse_block(block: Json, variables: bool) -> Result<Vec<Self>, String> {
        let Json::Object(operators) = block else {
            return Err(format!("Condition is {}, but must be an object", block.kind()));
        };
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let operator = Operator::parse(&name)?;
            let Json::Object(keys) = keys else {
                return Err(format!("Condition.{name} is {}, but must be an object", keys.kind()));
            };
            for (key, values) in keys {
                if !key.contains(':') {
                    return Err(format!(
                        "\"{key}\" in Condition.{name} is not a condition key such as \"aws:SourceIp\""
                    ));
                }
                let values = scalars(values)
                    .and_then(|values| {
                        values.iter().map(|value| operator.operand(value, variables)).collect()
                    })
                    .map_err(|err: String| format!("Condition.{name}.{key}: {err}"))?;
                conditions.push(Self { operator, key: key.to_ascii_lowercase(), values });
            }
        }
        Ok(conditions)
    }

    /// Reports whether a request with these keys satisfies the condition.
    pub(super) fn holds(&self, context: &Context) -> bool {
        let found = context.values(&self.key);
        if self.operator.test == Test::Null {
            return self.values.contains(&Operand::Bool(found.is_none()));
        }
        let Some(found) = found else {
            return self.operator.if_exists
                || match self.operator.quantifier {
                    Quantifier::ForAllValues => true,
                    Quantifier::ForAnyValue => false,
                    Quantifier::Plain => self.operator.negated,
                };
        };
        let listed = |value: &String| {
            self.values.iter().any(|operand| self.operator.compares(operand, value, context))
        };
        match (self.operator.quantifier, self.operator.negated) {
            (Quantifier::Plain | Quantifier::ForAnyValue, false) => found.iter().any(listed),
            (Quantifier::Plain, true) => !found.iter().any(listed),
            (Quantifier::ForAllValues, false) => found.iter().all(listed),
            (Quantifier::ForAllValues, true) => !found.iter().any(listed),
            (Quantifier::ForAnyValue, true) => found.iter().any(|value| !listed(value)),
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

/// One scalar or a list of them, as strings.
fn scalars(value: Json) -> Result<Vec<String>, String> {
    let items = match value {
        Json::List(items) => items,
        scalar => vec![scalar],
    };
    if items.is_empty() {
        return Err("no value to compare with".to_owned());
    }
    items
        .into_iter()
        .map(|item| match item {
            Json::String(string) => Ok(string),
            Json::Bool(boolean) => Ok(boolean.to_string()),
            Json::Number(number) => Ok(number),
            other => Err(format!("a value is {}, but must be a string, a number or a boolean", other.kind())),
        })
        .collect()
}
