//! Groups of traces, named filter expressions.
//!
//! An expression is parsed before it is kept. Which traces belong to a group is decided when they are stored, so changing
//! the expression affects later traces alone.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{ControlError, Limits, tags};
use crate::model::{Home, Time, limits};
use crate::query::filter::Filter;

/// A group.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The number in the store.
    pub number: i64,
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The filter expression, empty for every trace.
    pub expression: String,
    /// `InsightsConfiguration`.
    pub insights: Value,
}

impl Group {
    /// The API's `Group` and `GroupSummary`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "GroupName": self.name,
            "GroupARN": self.arn,
            "FilterExpression": self.expression,
            "InsightsConfiguration": self.insights,
        })
    }
}

/// Reference to a group in a request: its name or its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKey {
    /// `GroupName`
    Name(String),
    /// `GroupARN`
    Arn(String),
}

impl GroupKey {
    /// # Errors
    /// Both are given, or none.
    pub fn of(name: Option<&str>, arn: Option<&str>) -> Result<Self, ControlError> {
        match (name, arn) {
            (Some(name), None) => Ok(Self::Name(name.to_owned())),
            (None, Some(arn)) => Ok(Self::Arn(arn.to_owned())),
            _ => Err(ControlError::invalid("Exactly one of GroupName and GroupARN must be given")),
        }
    }
}

/// The ARN of the group of this name. Its last part is an id as X-Ray forms one; here it follows from the rest, so that
/// policies can name a group before it exists.
#[must_use]
pub fn arn(home: &Home, name: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = Sha256::digest(home.xray_arn(&format!("group/{name}")).as_bytes());
    let mut id = String::with_capacity(52);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in digest {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            id.push(char::from(LETTERS[(bits >> held & 31) as usize]));
        }
        bits &= (1 << held) - 1;
    }
    id.push(char::from(LETTERS[(bits << (5 - held) & 31) as usize]));
    home.xray_arn(&format!("group/{name}/{id}"))
}

/// Groups in the order in which they were made, after the one of this number.
///
/// # Errors
/// The store's.
pub fn list(connection: &Connection, after: i64, limit: usize) -> Result<Vec<Group>, ControlError> {
    let mut statement =
        connection.prepare_cached(&format!("{SELECT} WHERE number > ? ORDER BY number LIMIT ?"))?;
    let rows = statement.query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// # Errors
/// There is no such group.
pub fn find(connection: &Connection, key: &GroupKey) -> Result<Group, ControlError> {
    let (column, value) = match key {
        GroupKey::Name(name) => ("name", name),
        GroupKey::Arn(arn) => ("arn", arn),
    };
    let group = connection
        .prepare_cached(&format!("{SELECT} WHERE {column} = ?"))?
        .query_row([value], read)
        .optional()?;
    group.ok_or_else(|| ControlError::invalid(format!("Group not found: {value}")))
}

/// Makes a group. Traces belong to it from now on.
///
/// # Errors
/// The name is taken, the expression is not understood, or there are 25 groups.
pub fn create(
    connection: &Connection,
    home: &Home,
    name: &str,
    expression: &str,
    insights: Option<&Value>,
    limits: Limits,
    now: Time,
) -> Result<Group, ControlError> {
    check_expression(expression)?;
    if name.eq_ignore_ascii_case("default") {
        return Err(ControlError::invalid("The group name Default is X-Ray's own"));
    }
    let count: i64 = connection.query_row("SELECT count(*) FROM groups", [], |row| row.get(0))?;
    if limits.exceeded(usize::try_from(count).unwrap_or_default() + 1, limits::GROUPS) {
        return Err(ControlError::invalid(format!("An account can have at most {} groups", limits::GROUPS)));
    }
    if find(connection, &GroupKey::Name(name.to_owned())).is_ok() {
        return Err(ControlError::invalid(format!("Group already exists: {name}")));
    }
    let insights = insights_of(insights, &json!({}));
    connection.execute(
        "INSERT INTO groups (name, arn, expression, insights, created_us, modified_us) VALUES (?, ?, ?, ?, ?, ?)",
        params![name, arn(home, name), expression, insights.to_string(), now.0, now.0],
    )?;
    find(connection, &GroupKey::Name(name.to_owned()))
}

/// Changes a group. A new expression holds for traces that are stored from now on.
///
/// # Errors
/// There is no such group, or the expression is not understood.
pub fn update(
    connection: &Connection,
    key: &GroupKey,
    expression: Option<&str>,
    insights: Option<&Value>,
    now: Time,
) -> Result<Group, ControlError> {
    let group = find(connection, key)?;
    if let Some(expression) = expression.filter(|expression| *expression != group.expression) {
        check_expression(expression)?;
        connection.execute(
            "UPDATE groups SET expression = ?2, modified_us = ?3 WHERE number = ?1",
            params![group.number, expression, now.0],
        )?;
    }
    let insights = insights_of(insights, &group.insights);
    connection.execute(
        "UPDATE groups SET insights = ?2 WHERE number = ?1",
        params![group.number, insights.to_string()],
    )?;
    find(connection, key)
}

/// Deletes a group, its tags, and what was counted for it. The traces stay.
///
/// # Errors
/// There is no such group.
pub fn delete(connection: &Connection, key: &GroupKey) -> Result<(), ControlError> {
    let group = find(connection, key)?;
    for statement in [
        "DELETE FROM groups WHERE number = ?",
        "DELETE FROM trace_groups WHERE grp = ?",
        "DELETE FROM node_minutes WHERE grp = ?",
        "DELETE FROM edge_minutes WHERE grp = ?",
    ] {
        connection.execute(statement, [group.number])?;
    }
    tags::forget(connection, &group.arn)
}

fn check_expression(expression: &str) -> Result<(), ControlError> {
    match Filter::parse(expression) {
        Ok(_) => Ok(()),
        Err(err) => Err(ControlError::invalid(err.to_string())),
    }
}

/// `InsightsConfiguration` with both members: what is given, else what was, else false.
fn insights_of(given: Option<&Value>, before: &Value) -> Value {
    let member = |name: &str| {
        let value = given.and_then(|given| given.get(name)).or_else(|| before.get(name));
        value.and_then(Value::as_bool).unwrap_or(false)
    };
    json!({
        "InsightsEnabled": member("InsightsEnabled"),
        "NotificationsEnabled": member("NotificationsEnabled"),
    })
}

const SELECT: &str = "SELECT number, name, arn, expression, insights FROM groups";

fn read(row: &Row<'_>) -> Result<Group, rusqlite::Error> {
    let insights: String = row.get(4)?;
    Ok(Group {
        number: row.get(0)?,
        name: row.get(1)?,
        arn: row.get(2)?,
        expression: row.get(3)?,
        insights: serde_json::from_str(&insights).unwrap_or_default(),
    })
}
