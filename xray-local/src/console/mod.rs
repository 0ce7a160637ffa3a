//! Pages in the browser, on the API's port.
//!
//! Pages call what the API offers; only the live tail, problems and decisions come from the store.
