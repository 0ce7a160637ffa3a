//! The settings that decide what a callsite's spans and events become. Read once for each callsite.

use crate::settings::config::Annotate;
use crate::settings::drop_rule::DropRules;

/// The settings about callsites.
#[derive(Debug, Default)]
pub(crate) struct CallsiteSettings {
    /// The fields that become annotations.
    pub(crate) annotate: Annotate,
    /// The spans that are left out.
    pub(crate) drop_rules: DropRules,
    /// Set if INFO and WARN events are kept as breadcrumbs.
    pub(crate) breadcrumbs: bool,
}
