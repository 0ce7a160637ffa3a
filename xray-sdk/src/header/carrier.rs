//! [`Carrier`]: anything that holds strings by name, beside a message. No transport is known here;
//! [`sqs`](crate::sqs) uses it for SQS, and a program implements it for the types of its client.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

/// Strings by name: HTTP headers, a message's attributes.
///
/// Implemented for maps of strings, such as the attributes of a record in an SQS event. For a client's own type,
/// each method takes two lines:
/// ```
/// use xray_sdk::header::Carrier;
///
/// struct Message {
///     trace_header: Option<String>,
/// }
///
/// impl Carrier for Message {
///     fn value(&self, name: &str) -> Option<&str> {
///         self.trace_header.as_deref().filter(|_| name == xray_sdk::sqs::ATTRIBUTE)
///     }
///     fn put(&mut self, name: &'static str, value: String) {
///         debug_assert_eq!(name, xray_sdk::sqs::ATTRIBUTE);
///         self.trace_header = Some(value);
///     }
/// }
/// ```
pub trait Carrier {
    /// Returns the string of that name, if there is one.
    fn value(&self, name: &str) -> Option<&str>;

    /// Sets the string of that name.
    fn put(&mut self, name: &'static str, value: String);
}

impl<S: BuildHasher> Carrier for HashMap<String, String, S> {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }

    fn put(&mut self, name: &'static str, value: String) {
        self.insert(name.to_owned(), value);
    }
}

impl Carrier for BTreeMap<String, String> {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }

    fn put(&mut self, name: &'static str, value: String) {
        self.insert(name.to_owned(), value);
    }
}
