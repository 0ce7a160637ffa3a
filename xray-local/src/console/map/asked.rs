//! The parameters of the map's address, and addresses of maps with another choice.

use serde::Deserialize;

use crate::console::parts::format;
use crate::console::parts::scope::Scope;
use crate::model::NodeName;

/// The value of `size` for the map in its own size.
const ACTUAL: &str = "actual";

/// The parameters of the map.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Asked {
    pub(in crate::console) filter: String,
    #[serde(flatten)]
    pub(in crate::console) scope: Scope,
    /// `actual` for the map in its own size, which is scrolled in both directions; fitted to the width of the page otherwise.
    pub(in crate::console) size: String,
    /// The map of one trace.
    pub(in crate::console) trace: String,
    /// The chosen node: name and type.
    pub(in crate::console) node: String,
    pub(in crate::console) kind: String,
    /// The called node, if an edge is chosen.
    pub(in crate::console) target: String,
    pub(in crate::console) target_kind: String,
}

impl Asked {
    fn link(&self, more: &[(&str, &str)]) -> String {
        let mut parameters = vec![("filter", self.filter.as_str())];
        parameters.extend(self.scope.parameters());
        parameters.extend([("trace", self.trace.as_str()), ("size", self.size.as_str())]);
        parameters.extend_from_slice(more);
        format::link("/map", &parameters)
    }

    /// The map with nothing chosen.
    pub(super) fn whole(&self) -> String {
        self.link(&[])
    }

    pub(super) fn is_actual(&self) -> bool {
        self.size == ACTUAL
    }

    /// The map in the other size, with the same choice.
    pub(super) fn resized(&self) -> String {
        let size = if self.is_actual() { "" } else { ACTUAL };
        let own = Self { size: size.to_owned(), ..self.clone() };
        own.link(&[
            ("node", &self.node),
            ("kind", &self.kind),
            ("target", &self.target),
            ("target_kind", &self.target_kind),
        ])
    }

    /// The map with a node chosen.
    pub(super) fn of_node(&self, node: &NodeName) -> String {
        self.link(&[("node", &node.name), ("kind", &node.kind)]) + "#panel"
    }

    /// The map with an edge chosen.
    pub(super) fn of_edge(&self, from: &NodeName, to: &NodeName) -> String {
        let parameters =
            [("node", &*from.name), ("kind", &*from.kind), ("target", &*to.name), ("target_kind", &*to.kind)];
        self.link(&parameters) + "#panel"
    }

    pub(super) fn is_node(&self, node: &NodeName) -> bool {
        self.target.is_empty() && self.node == node.name && self.kind == node.kind
    }

    pub(super) fn is_edge(&self, from: &NodeName, to: &NodeName) -> bool {
        self.node == from.name
            && self.kind == from.kind
            && self.target == to.name
            && self.target_kind == to.kind
    }
}
