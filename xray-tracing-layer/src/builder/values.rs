//! Settings for what becomes of values on their way into documents: who sees them, and what is left out.

use std::borrow::Cow;

use super::Builder;
use crate::lifecycle::on_close::{ClosingSpan, OnClose};
use crate::settings::config::Redact;

impl<F> Builder<F> {
    /// Looks at each value before it is written, as text, and may replace it. It is called on the thread that
    /// records the value, with the name of the field. Of what is given to [`XraySpanExt`](crate::XraySpanExt) that is
    /// the key, in metadata the key that the value stands under, however deep; of an error and of each of its sources
    /// it is `exception.message`, of an end user `user.id`. A value that comes back as it was keeps its type.
    ///
    /// The text of a statement is seen before its values are left out. Spans and events of the hook's own are not
    /// recorded.
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

    /// Looks at each recorded span when it is over, before its document is written, and may add to it what is only
    /// known then. It is called on the thread that closes the span. Spans and events of its own go to no subscriber, and
    /// of a call that panics nothing is kept but what it had added.
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
        self
    }

    /// Keeps the query of URLs. Left out by default: it is where tokens and mail addresses travel.
    pub fn keep_url_query(mut self) -> Self {
        self.settings.rules.keep_query = true;
        self
    }

    /// Names the service's database: its kind, such as `postgresql`, and what its node on X-Ray's map is called, by
    /// convention `database@host`. For libraries that tell neither: the statements of `sqlx`, of which no kind is
    /// known either, and the spans of `sea-orm`. Defaults to no kind, and `<service> database`: services that don't
    /// name theirs do not share one on the map.
    pub fn database(mut self, system: impl Into<String>, name: impl Into<String>) -> Self {
        self.settings.database = Some((system.into(), name.into()));
        self
    }

    /// Keeps the values in the text of database statements. By default each literal is replaced by `?`: strings,
    /// numbers, and comments, which may quote some. What is read as a literal does not depend on the database, whose
    /// dialect the layer does not know: a text in double quotes counts as a name only where a name can stand, and
    /// where dialects disagree on where a string ends, the rest is left out.
    pub fn keep_sql_literals(mut self) -> Self {
        self.settings.rules.keep_sql_literals = true;
        self
    }

    /// Leaves out the text of database statements. `AWS_XRAY_COLLECT_SQL_QUERIES` goes before it. By default the
    /// text is kept that a library records, [without the values](Self::keep_sql_literals) in it.
    pub fn without_sql_text(mut self) -> Self {
        self.settings.rules.drop_sql_text = true;
        self
    }
}
