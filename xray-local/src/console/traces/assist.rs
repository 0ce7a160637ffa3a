//! Help while a filter is typed: what can stand at the cursor, and what is wrong.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::console::parts::error::PageError;
use crate::console::state::Console;
use crate::query;
use crate::query::filter::{self, Filter, Value as Literal};

/// Suggestions that are listed.
const MOST: usize = 12;

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Typed {
    filter: String,
    /// In characters.
    cursor: usize,
}

/// Suggestions at the cursor, parts of the language and values that occur.
pub(super) async fn complete(
    State(console): State<Console>,
    Query(Typed { filter, cursor }): Query<Typed>,
) -> Result<Json<Value>, PageError> {
    let completion = filter::complete(&filter, cursor);
    let mut suggestions = Vec::new();
    if let Some(what) = completion.occurring.clone() {
        let typed = completion.typed.trim_start_matches("annotation.").to_owned();
        let values =
            console.ask(move |connection| Ok(query::occurring(connection, &what, &typed, MOST)?)).await?;
        let is_number = |value: &str| value.parse::<f64>().is_ok();
        suggestions.extend(values.into_iter().filter_map(|value| {
            let is_status = is_number(&value) && filter[..].contains("http.status");
            let literal = match value.parse::<f64>() {
                Ok(number) if is_status => Literal::Number(number),
                _ => Literal::String(value),
            };
            completion.value(&literal, "occurs")
        }));
    }
    suggestions.extend(completion.suggestions.iter().cloned());
    suggestions.truncate(MOST);
    let suggestions: Vec<Value> = suggestions
        .into_iter()
        .map(|suggestion| json!({ "insert": suggestion.insert, "hint": suggestion.hint }))
        .collect();
    Ok(Json(json!({ "start": completion.start, "end": completion.end, "suggestions": suggestions })))
}

/// The error of a filter, or null.
pub(super) async fn check(Query(Typed { filter, .. }): Query<Typed>) -> Json<Value> {
    let error = Filter::parse(&filter).err().map(|err| err.to_string());
    Json(json!({ "error": error }))
}
