//! Patterns of root causes: the JSON behind `rootcause.json = #`.
//!
//! Members have the names that `GetTraceSummaries` gives them. A member that is absent matches every value; a list
//! matches a list of equal length whose elements match one by one. An unknown member is an error.

use serde_json::{Map, Value, json};

/// A pattern for one root cause.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CausePattern {
    /// Pattern of `ClientImpacting`.
    pub client_impacting: Option<bool>,
    /// The path of services, outermost first.
    pub services: Option<Vec<ServicePattern>>,
}

/// A pattern for one service of a root cause.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServicePattern {
    /// The node's name.
    pub name: Option<String>,
    /// All names of the node.
    pub names: Option<Vec<String>>,
    /// The node's type.
    pub kind: Option<String>,
    /// The node's account.
    pub account: Option<String>,
    /// Pattern of `Inferred`.
    pub inferred: Option<bool>,
    /// The path of entities within the service.
    pub entities: Option<Vec<EntityPattern>>,
}

/// A pattern for one segment or subsegment of a root cause.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntityPattern {
    /// The segment's or subsegment's name.
    pub name: Option<String>,
    /// Pattern of `Remote`.
    pub remote: Option<bool>,
    /// The entity's share of the root's response time, from 0 to 1.
    pub coverage: Option<f64>,
    /// The exceptions of the entity.
    pub exceptions: Option<Vec<ExceptionPattern>>,
}

/// A pattern for one exception.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionPattern {
    /// The exception's type.
    pub name: Option<String>,
    /// The exception's message.
    pub message: Option<String>,
}

impl CausePattern {
    /// Reads a list of patterns.
    ///
    /// # Errors
    ///
    /// Names the member that is unknown or has another type than the root causes of `GetTraceSummaries`.
    pub(super) fn list(json: Value) -> Result<Vec<Self>, String> {
        let patterns = list_of("#", json, |value| {
            let mut members = Members::new("root cause", value)?;
            let pattern = Self {
                client_impacting: members.flag("ClientImpacting")?,
                services: members.list("Services", ServicePattern::read)?,
            };
            members.finish().map(|()| pattern)
        })?;
        if patterns.is_empty() {
            return Err("the list of root causes is empty".to_owned());
        }
        Ok(patterns)
    }

    /// The pattern as JSON, with the members that it has.
    #[must_use]
    pub fn to_json(&self) -> Value {
        object([
            ("ClientImpacting", self.client_impacting.map(Value::from)),
            (
                "Services",
                self.services.as_ref().map(|list| list.iter().map(ServicePattern::to_json).collect()),
            ),
        ])
    }
}

impl ServicePattern {
    fn read(value: Value) -> Result<Self, String> {
        let mut members = Members::new("service", value)?;
        let pattern = Self {
            name: members.string("Name")?,
            names: members.list("Names", |value| match value {
                Value::String(name) => Ok(name),
                other => Err(format!("Names of a service are strings, found {}", brief(&other))),
            })?,
            kind: members.string("Type")?,
            account: members.string("AccountId")?,
            inferred: members.flag("Inferred")?,
            entities: members.list("EntityPath", EntityPattern::read)?,
        };
        members.finish().map(|()| pattern)
    }

    fn to_json(&self) -> Value {
        object([
            ("Name", self.name.clone().map(Value::from)),
            ("Names", self.names.clone().map(Value::from)),
            ("Type", self.kind.clone().map(Value::from)),
            ("AccountId", self.account.clone().map(Value::from)),
            ("Inferred", self.inferred.map(Value::from)),
            (
                "EntityPath",
                self.entities.as_ref().map(|list| list.iter().map(EntityPattern::to_json).collect()),
            ),
        ])
    }
}

impl EntityPattern {
    fn read(value: Value) -> Result<Self, String> {
        let mut members = Members::new("entity", value)?;
        let pattern = Self {
            name: members.string("Name")?,
            remote: members.flag("Remote")?,
            coverage: members.number("Coverage")?,
            exceptions: members.list("Exceptions", |value| {
                let mut members = Members::new("exception", value)?;
                let pattern =
                    ExceptionPattern { name: members.string("Name")?, message: members.string("Message")? };
                members.finish().map(|()| pattern)
            })?,
        };
        members.finish().map(|()| pattern)
    }

    fn to_json(&self) -> Value {
        let exceptions = self.exceptions.as_ref().map(|list| {
            let exception = |exception: &ExceptionPattern| {
                object([
                    ("Name", exception.name.clone().map(Value::from)),
                    ("Message", exception.message.clone().map(Value::from)),
                ])
            };
            list.iter().map(exception).collect()
        });
        object([
            ("Name", self.name.clone().map(Value::from)),
            ("Remote", self.remote.map(Value::from)),
            ("Coverage", self.coverage.map(Value::from)),
            ("Exceptions", exceptions),
        ])
    }
}

/// Members of an object that were not read yet.
struct Members {
    of: &'static str,
    rest: Map<String, Value>,
}

impl Members {
    fn new(of: &'static str, value: Value) -> Result<Self, String> {
        match value {
            Value::Object(rest) => Ok(Self { of, rest }),
            other => Err(format!("each {of} is an object, found {}", brief(&other))),
        }
    }

    fn string(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.rest.remove(name) {
            None => Ok(None),
            Some(Value::String(string)) => Ok(Some(string)),
            Some(other) => Err(format!("{name} of a {} is a string, found {}", self.of, brief(&other))),
        }
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.rest.remove(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(format!("{name} of a {} is true or false, found {}", self.of, brief(&other))),
        }
    }

    fn number(&mut self, name: &str) -> Result<Option<f64>, String> {
        match self.rest.remove(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(number.as_f64()),
            Some(other) => Err(format!("{name} of a {} is a number, found {}", self.of, brief(&other))),
        }
    }

    fn list<T>(
        &mut self,
        name: &str,
        read: impl FnMut(Value) -> Result<T, String>,
    ) -> Result<Option<Vec<T>>, String> {
        self.rest.remove(name).map(|value| list_of(name, value, read)).transpose()
    }

    fn finish(self) -> Result<(), String> {
        match self.rest.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("a {} has no member {name:?}", self.of)),
        }
    }
}

fn list_of<T>(
    name: &str,
    value: Value,
    read: impl FnMut(Value) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    match value {
        Value::Array(values) => values.into_iter().map(read).collect(),
        other => Err(format!("{name} is a list, found {}", brief(&other))),
    }
}

fn brief(value: &Value) -> String {
    let mut json = value.to_string();
    if let Some((cut, _)) = json.char_indices().nth(40) {
        json.truncate(cut);
        json.push_str("...");
    }
    json
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let mut object = json!({});
    for (name, value) in members {
        if let Some(value) = value {
            object[name] = value;
        }
    }
    object
}
