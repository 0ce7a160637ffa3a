//! The user's rules for spans that are left out of every trace, by what is known of their callsite.
//!
//! A rule is applied once to each callsite, and never to a single span.

use std::fmt;

use tracing_core::Metadata;

use crate::settings::reentrancy::CaughtPanics;

/// A rule for [`Builder::drop_span`](crate::Builder::drop_span): which spans are left out of traces.
///
/// A name is a rule as well: `drop_span("poll")` is `drop_span(DropRule::name("poll"))`.
///
/// | rule | applies to |
/// |---|---|
/// | [`name`](Self::name) | spans of that name |
/// | [`target`](Self::target) | spans of that target, and of those below it: `store` is `store::cache` as well |
/// | [`matching`](Self::matching) | spans whose metadata a function accepts |
///
/// The spans inside of such a span stay, and belong to the span around it. Without one around they take its place: each
/// is a segment below its caller. After [`with_children`](Self::with_children)
/// they are left out as well.
///
/// ```
/// use xray_tracing_layer::DropRule;
///
/// let builder = xray_tracing_layer::builder()
///     .drop_span("poll")
///     .drop_span(DropRule::target("store::cache").with_children())
///     .drop_span(DropRule::matching(|metadata| metadata.fields().field("internal").is_some()));
/// ```
#[must_use]
pub struct DropRule {
    spans: Spans,
    dropped: Dropped,
}

/// The spans that a rule applies to.
enum Spans {
    Name(String),
    Target(String),
    Matching(Box<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>),
}

/// The parts that are left out with a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// Nothing else: its children belong to its parent.
    Alone,
    /// Everything inside of it.
    WithChildren,
}

impl DropRule {
    /// Creates a rule for the spans of a name. Of a call that a library describes in an event, the name is the event's
    /// target, such as `sqlx::query`.
    pub fn name(name: impl Into<String>) -> Self {
        Self { spans: Spans::Name(name.into()), dropped: Dropped::Alone }
    }

    /// Creates a rule for the spans of a target, which is a module's path unless the span names another, and of the
    /// targets below it.
    pub fn target(target: impl Into<String>) -> Self {
        Self { spans: Spans::Target(target.into()), dropped: Dropped::Alone }
    }

    /// Creates a rule for the spans whose metadata `matches` accepts.
    ///
    /// The function is called once for each place in the source that opens spans. Its own spans and events are not
    /// recorded. If it panics, the span is kept, and the panic is counted in
    /// [`Stats::caught_panics`](crate::Stats::caught_panics).
    pub fn matching(matches: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self { spans: Spans::Matching(Box::new(matches)), dropped: Dropped::Alone }
    }

    /// Leaves out everything inside of the spans as well, as the field `xray.sampled = false` does: a call to another
    /// service inside of such a span carries `Sampled=0`.
    pub fn with_children(mut self) -> Self {
        self.dropped = Dropped::WithChildren;
        self
    }
}

impl From<&str> for DropRule {
    fn from(name: &str) -> Self {
        Self::name(name)
    }
}

impl From<String> for DropRule {
    fn from(name: String) -> Self {
        Self::name(name)
    }
}

impl fmt::Debug for DropRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("DropRule");
        match &self.spans {
            Spans::Name(name) => out.field("name", name),
            Spans::Target(target) => out.field("target", target),
            Spans::Matching(_) => &mut out,
        };
        out.field("dropped", &self.dropped).finish_non_exhaustive()
    }
}

/// All rules, and the panics of their functions.
#[derive(Debug, Default)]
pub(crate) struct DropRules {
    rules: Vec<DropRule>,
    pub(crate) panics: CaughtPanics,
}

impl DropRules {
    pub(crate) fn add(&mut self, rule: DropRule) {
        self.rules.push(rule);
    }

    /// Applies the rules to a callsite: the first one that matches counts. `name` is the name of its spans.
    pub(crate) fn apply(&self, metadata: &Metadata<'_>, name: &str) -> Option<Dropped> {
        self.rules.iter().find(|rule| self.matches(rule, metadata, name)).map(|rule| rule.dropped)
    }

    fn matches(&self, rule: &DropRule, metadata: &Metadata<'_>, name: &str) -> bool {
        match &rule.spans {
            Spans::Name(of) => name == of,
            Spans::Target(of) => metadata
                .target()
                .strip_prefix(of.as_str())
                .is_some_and(|below| below.is_empty() || below.starts_with("::")),
            Spans::Matching(matches) => {
                // Metadata is a constant, whatever a look at it did.
                self.panics.catch(|| matches(metadata)).unwrap_or_default()
            }
        }
    }
}
