//! The builder's settings about values: who sees them, and what is left out.

use std::borrow::Cow;

use crate::builder::settings::Builder;
use crate::settings::redaction::Redact;
use crate::state::closing_span::{ClosingSpan, OnClose};

impl<F> Builder<F> {
    /// Sets the redaction hook, which sees each value as a string before it is written, and may replace it.
    ///
    /// The hook runs on the thread that records the value. An unchanged value keeps its type. Spans and
    /// events of the hook itself are not recorded. Its first argument depends on the value:
    ///
    /// | value | `field` |
    /// |---|---|
    /// | a field of a span or event | the field's name |
    /// | an annotation | its key |
    /// | metadata | the key of each value, at any depth |
    /// | an error, and each of its sources | `exception.message` |
    /// | an end user | `user.id` |
    /// | a statement, with its literals | the field's name |
    ///
    /// ```
    /// # use std::borrow::Cow;
    /// let builder = xray_tracing_layer::builder().redact(|field, value| match field {
    ///     "password" => Cow::Borrowed("***"),
    ///     _ => Cow::Borrowed(value),
    /// });
    /// ```
    pub fn redact<R>(mut self, redact: R) -> Self
    where
        R: for<'a> Fn(&str, &'a str) -> Cow<'a, str> + Send + Sync + 'static,
    {
        self.settings.rules.redact = Some(Redact::new(Box::new(redact)));
        self
    }

    /// Sets a closure that is called with each recorded span when it closes, and may add to it.
    ///
    /// The closure runs on the thread that closes the span. Its own spans and events go to no subscriber. If
    /// it panics, what it had added is kept.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().on_close(|span| {
    ///     if span.duration().as_millis() > 500 {
    ///         span.annotate("slow", true);
    ///     }
    /// });
    /// ```
    pub fn on_close(mut self, look: impl Fn(&mut ClosingSpan<'_>) + Send + Sync + 'static) -> Self {
        self.settings.on_close = Some(OnClose(Box::new(look)));
        self.settings.rules.keep_url_parts = true;
        self
    }

    /// Records each panic once, with its message and its place in the source, in the span in which it happens.
    ///
    /// Installs a panic hook for the whole process, which calls the former hook afterwards. A [redaction
    /// hook](Self::redact) sees the message on a short-lived thread of its own, since a second panic within a panic hook
    /// ends the process. Where it panics, or takes longer than a second, the message becomes `…`. By default there is
    /// no hook: spans through which a panic unwinds are faults, and the message is recorded only by
    /// integrations that catch the panic.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().capture_panics();
    /// ```
    pub fn capture_panics(mut self) -> Self {
        self.settings.capture_panics = true;
        self
    }

    /// Keeps the queries of URLs, in which tokens and mail addresses travel. Removed by default.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().keep_url_query();
    /// ```
    pub fn keep_url_query(mut self) -> Self {
        self.settings.rules.keep_query = true;
        self
    }

    /// Sets the service's database: its kind, such as `postgresql`, and the name of its node on X-Ray's map,
    /// by convention `database@host`.
    ///
    /// For libraries that name neither: the statements of `sqlx`, and the spans of `sea-orm`. Defaults to no
    /// kind, and to the name `<service> database`, so that services do not share a node by accident.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().database("postgresql", "orders@db.internal");
    /// ```
    pub fn database(mut self, system: impl Into<String>, name: impl Into<String>) -> Self {
        self.settings.database = Some((system.into(), name.into()));
        self
    }

    /// Keeps the literals in database statements.
    ///
    /// By default each literal is replaced by `?`: strings, numbers, and comments, which may quote some. The
    /// layer does not know the database's dialect. A string in double quotes counts as a name only where a
    /// name can stand. Where dialects disagree about the end of a string, the rest is removed.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().keep_sql_literals();
    /// ```
    pub fn keep_sql_literals(mut self) -> Self {
        self.settings.rules.keep_sql_literals = true;
        self
    }

    /// Leaves out database statements.
    ///
    /// `AWS_XRAY_COLLECT_SQL_QUERIES` overrides it. By default statements are kept, [without their
    /// literals](Self::keep_sql_literals).
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().without_sql_text();
    /// ```
    pub fn without_sql_text(mut self) -> Self {
        self.settings.rules.drop_sql_text = true;
        self
    }
}
