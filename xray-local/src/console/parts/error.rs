//! The reason why a page can't be shown, as an answer in words.

use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::shell;
use crate::control::ControlError;
use crate::store::StoreError;

/// A page that can't be shown.
#[derive(Debug)]
pub(in crate::console) struct PageError {
    status: StatusCode,
    message: String,
}

impl PageError {
    pub(in crate::console) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(in crate::console) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(in crate::console) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<StoreError> for PageError {
    fn from(err: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, err.to_string())
    }
}

impl From<rusqlite::Error> for PageError {
    fn from(err: rusqlite::Error) -> Self {
        StoreError::from(err).into()
    }
}

impl From<ControlError> for PageError {
    fn from(err: ControlError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, err.to_string())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let page = shell::page(
            "Not shown",
            "",
            &[],
            html! {
                h1 { "This page can't be shown" }
                p.empty { (self.message) }
            },
        );
        (self.status, page).into_response()
    }
}
