//! A service as the map identifies one.

use std::borrow::Cow;

/// Identity of a node of the map: name, type and account together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeName {
    /// The segment's name.
    pub name: String,
    /// The segment's `origin`, such as `AWS::EC2::Instance`; `client` for callers of root segments; empty without.
    pub kind: String,
    /// The account's twelve digits, from `aws.account_id`; empty without.
    pub account: String,
}

impl NodeName {
    /// A node without an account.
    #[must_use]
    pub fn new(name: &str, kind: &str) -> Self {
        Self { name: name.to_owned(), kind: kind.to_owned(), account: String::new() }
    }
}

/// A node's identity, borrowed from a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeRef<'a> {
    /// The segment's name.
    pub name: &'a str,
    /// The segment's `origin`; empty without.
    pub kind: Cow<'a, str>,
    /// The account's twelve digits; empty without.
    pub account: &'a str,
}

impl NodeRef<'_> {
    /// The node of the clients that call this one.
    #[must_use]
    pub fn clients(&self) -> Self {
        Self { name: self.name, kind: Cow::Borrowed("client"), account: self.account }
    }
}
