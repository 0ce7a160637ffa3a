//! The parameters of the list's address, and addresses of lists with other parameters.

use serde::Deserialize;

use crate::console::parts::format;
use crate::console::parts::scope::Scope;
use crate::query;
use crate::query::filter::{Expr, Filter};

/// The parameters of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) filter: String,
    #[serde(flatten)]
    pub(super) scope: Scope,
    pub(super) sort: String,
    /// The key at which the page begins.
    pub(super) before: String,
    /// The brush over the histogram, in milliseconds.
    pub(super) from: String,
    pub(super) to: String,
}

impl Asked {
    /// The brush, unless it is empty or no range.
    pub(super) fn brush(&self) -> Option<(i64, i64)> {
        let (from, to) = (self.from.trim().parse::<f64>().ok()?, self.to.trim().parse::<f64>().ok()?);
        (from >= 0.0 && to > from && to < 1e12).then(|| (from.round() as i64, to.round() as i64))
    }

    /// The condition of the brush.
    pub(super) fn brushed(&self) -> Option<Expr> {
        self.brush().map(|(from, to)| query::of_times(from, to))
    }

    fn link(&self, filter: &str, sort: &str, before: &str) -> String {
        let mut parameters = vec![("filter", filter)];
        parameters.extend(self.scope.parameters());
        parameters.extend([("sort", sort), ("before", before)]);
        format::link("/traces", &parameters)
    }

    /// The list narrowed by a condition.
    pub(super) fn narrowed(&self, filter: &Filter, condition: &Expr) -> String {
        self.link(&filter.clone().and(condition.clone()).to_string(), &self.sort, "")
    }

    /// The list with another filter.
    pub(super) fn with(&self, filter: &Filter) -> String {
        self.link(&filter.to_string(), &self.sort, "")
    }

    /// The list in another order.
    pub(super) fn sorted(&self, sort: &str) -> String {
        self.link(&self.filter, sort, "")
    }

    /// The page of the list that begins before a key.
    pub(super) fn page(&self, before: i64) -> String {
        self.link(&self.filter, &self.sort, &before.to_string())
    }
}
