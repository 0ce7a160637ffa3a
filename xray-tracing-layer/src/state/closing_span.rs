//! A closing span as the user's closure sees it, and the closure itself.
//!
//! Called from `lifecycle::on_close`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde_core::Serialize;
use xray_sdk::TraceId;
use xray_sdk::document::AnnotationValue;
use xray_sdk::document::internal::{Body, OwnedKey, Piece, Section, keys};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::conventions::slot_of;
use crate::fields::redacted_body::RedactedBody;
use crate::fields::slot::Slot;
use crate::settings::config::Annotate;
use crate::state::record::Fate;

/// A span that closes, before its document is written. See [`Builder::on_close`](crate::Builder::on_close).
///
/// | to | method |
/// |---|---|
/// | read | [`name`](Self::name), [`duration`](Self::duration), [`status`](Self::status), [`has_failed`](Self::has_failed), [`field`](Self::field) … |
/// | add | [`annotate`](Self::annotate), [`add_metadata`](Self::add_metadata) |
/// | change | [`rename`](Self::rename), [`set_status`](Self::set_status), [`remove_field`](Self::remove_field) |
/// | leave out | [`drop_span`](Self::drop_span), [`drop_with_children`](Self::drop_with_children) |
///
/// ```
/// let builder = xray_tracing_layer::builder().on_close(|span| {
///     if span.name() == "poll" && !span.has_failed() {
///         return span.drop_span();
///     }
///     span.annotate("slow", span.duration().as_millis() > 500);
/// });
/// ```
pub struct ClosingSpan<'a> {
    pub(crate) facts: SpanFacts<'a>,
    pub(crate) body: RedactedBody<'a>,
    /// The members so far, if `body` is not theirs: of a span that is emitted early.
    pub(crate) former: Option<Body>,
    /// Members of `former` that were removed.
    pub(crate) removed: Vec<Place>,
    pub(crate) fate: Fate,
}

/// The facts about the span.
#[derive(Clone, Copy)]
pub(crate) struct SpanFacts<'a> {
    pub(crate) callsite: Option<&'a CallsiteInfo>,
    pub(crate) duration: Duration,
    pub(crate) is_segment: bool,
    pub(crate) trace_id: TraceId,
}

impl ClosingSpan<'_> {
    /// Returns the span's name. For a call that a library described in an event it is the event's target,
    /// such as `sqlx::query`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.facts.callsite.map_or("unknown", |callsite| callsite.title)
    }

    /// Returns the duration, in whole microseconds.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.facts.duration
    }

    /// Returns the HTTP status, if the span has one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.body.body().status().or_else(|| self.former.as_ref()?.status())
    }

    /// Returns whether the span failed: a status of 400 and above, or any other mark of a failure.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.body.body().has_failed() || self.former.as_ref().is_some_and(Body::has_failed)
    }

    /// Returns whether the span becomes a segment. Otherwise it becomes a subsegment.
    #[must_use]
    pub fn is_segment(&self) -> bool {
        self.facts.is_segment
    }

    /// Returns the id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.facts.trace_id
    }

    /// Returns a field's value as it stands in the document: a string without its quotes, anything else as JSON.
    ///
    /// `name` is the field's name, `order.id` for instance, whatever it is in the document. Annotations and metadata that
    /// were added by method have their keys as names, and `metadata.<namespace>.<key>` names a key in a namespace.
    /// Returns `None` for a field that the span does not have, or that documents do not contain.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().on_close(|span| {
    ///     if span.field("http.request.method").as_deref() == Some("OPTIONS") {
    ///         span.drop_span();
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        if self.is_status(name) {
            return self.status().map(|status| status.to_string().into());
        }
        self.places(name).into_iter().find_map(|place| {
            let known = place.text_in(self.body.body());
            known.or_else(|| place.text_in(self.former.as_ref()?)).map(unescaped)
        })
    }

    /// Removes a field, by its name as in [`field`](Self::field). Returns whether it was there.
    ///
    /// A status cannot be removed, only [set](Self::set_status). Of several fields for the same member, such as
    /// `db.system` and `db.system.name`, the member is removed.
    pub fn remove_field(&mut self, name: &str) -> bool {
        let mut found = false;
        for place in self.places(name) {
            found |= place.remove_from(self.body.unredacted());
            if self.former.as_mut().is_some_and(|former| place.remove_from(former)) {
                found = true;
                self.removed.push(place);
            }
        }
        found
    }

    /// Renames the span: a subsegment, or the operation in a segment's metadata.
    ///
    /// A segment is named after its service, which stays. Characters that X-Ray does not accept become `_`. 200
    /// characters of a subsegment's name are kept, 250 of an operation; a longer one is counted in
    /// [`Stats::values_cut`](crate::Stats::values_cut). An empty name is ignored, and counted in
    /// [`Stats::values_dropped`](crate::Stats::values_dropped).
    pub fn rename(&mut self, name: &str) {
        self.body.rename(self.facts.is_segment, name);
    }

    /// Sets the HTTP status, from which `error`, `throttle` and `fault` follow. A number below 100 or above 599 is
    /// ignored. Other marks of a failure, such as an exception, stay.
    pub fn set_status(&mut self, status: u16) {
        self.body.unredacted().set_status(status);
        if let Some(former) = &mut self.former {
            former.set_status(status);
        }
    }

    /// Leaves the span out of the trace. Finished spans inside of it stay, and belong to the span around it.
    ///
    /// A segment has no span around it, so it is left out with everything in it. A span of which a part was sent
    /// before (as in progress, or a span inside that had no room) cannot be left out, which is counted in
    /// [`Stats::late_decisions`](crate::Stats::late_decisions). Spans that are left out are counted in
    /// [`Stats::left_out`](crate::Stats::left_out). A service that was called from within names the span as its
    /// parent nevertheless: the call was made before.
    pub fn drop_span(&mut self) {
        self.fate = Fate::LeftOut;
    }

    /// Leaves the span out of the trace, with the finished spans inside of it, which are counted in
    /// [`Stats::lost_with_parent`](crate::Stats::lost_with_parent). See [`drop_span`](Self::drop_span).
    pub fn drop_with_children(&mut self) {
        self.fate = Fate::LeftOutWithChildren;
    }

    /// Adds an annotation, which X-Ray indexes. Characters other than letters, digits, `_` and `.` in the key
    /// are replaced.
    pub fn annotate<'v>(&mut self, key: &str, value: impl Into<AnnotationValue<'v>>) {
        self.body.annotate(key, &value.into());
    }

    /// Adds metadata, which X-Ray keeps and does not index. An empty namespace is `default`.
    pub fn add_metadata(&mut self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
        self.body.metadata(namespace, key, value);
    }

    fn declared(&self, name: &str) -> Option<&Slot> {
        let callsite = self.facts.callsite?;
        let at = callsite.fields.iter().position(|field| field.name() == name)?;
        callsite.slots.get(at)
    }

    fn is_status(&self, name: &str) -> bool {
        slot_of(name, "", &Annotate::default()) == Slot::Status
    }

    /// Returns the members that a field may be.
    fn places(&self, name: &str) -> Vec<Place> {
        let undeclared = slot_of(name, "", &Annotate::default());
        let slot = self.declared(name).unwrap_or(&undeclared);
        let mut places: Vec<_> = Place::of(slot).into_iter().collect();
        if matches!(slot, Slot::Host { .. }) {
            // A call is named after its host.
            places.push(Place::Piece(Piece::Name, keys::HOST.into()));
        }
        if matches!(slot, Slot::ClientIp { .. }) {
            // Of a subsegment it is metadata.
            places.push(Place::Member(Section::Metadata, keys::CLIENT_ADDRESS.into()));
        }
        // Added by method.
        for prefix in ["annotation.", "metadata."] {
            let added = Place::of(&slot_of(&format!("{prefix}{name}"), "", &Annotate::default()));
            places.extend(added.filter(|place| !places.contains(place)));
        }
        places
    }
}

/// The place of a value in a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Member(Section, OwnedKey),
    Piece(Piece, OwnedKey),
}

impl Place {
    /// Returns the place that a slot writes to, if there is one for it alone.
    fn of(slot: &Slot) -> Option<Self> {
        let member = |section, key| Some(Self::Member(section, OwnedKey::from(key)));
        let piece = |piece, key| Some(Self::Piece(piece, OwnedKey::from(key)));
        match slot {
            Slot::Any { section, key, .. } => member(*section, key.as_key()),
            Slot::Str { section, key, .. } | Slot::Number { section, key, .. } => member(*section, *key),
            Slot::EndUser { .. } => member(Section::Top, keys::USER),
            Slot::Url { .. } => member(Section::HttpRequest, keys::URL),
            Slot::ClientIp { .. } => member(Section::HttpRequest, keys::CLIENT_IP),
            Slot::DbSystem => member(Section::Sql, keys::DATABASE_TYPE),
            Slot::Statement { .. } => member(Section::Sql, keys::SANITIZED_QUERY),
            Slot::ConnectionString => member(Section::Sql, keys::CONNECTION_STRING),
            Slot::Name { key, .. } => piece(Piece::Name, *key),
            Slot::OtelName => piece(Piece::Name, keys::OTEL),
            Slot::UrlPart { key, .. } => piece(Piece::Url, *key),
            Slot::UrlPath { .. } => piece(Piece::Url, keys::PATH),
            Slot::UrlQuery => piece(Piece::Url, keys::QUERY),
            Slot::Host { .. } => piece(Piece::Url, keys::HOST),
            Slot::RpcService => piece(Piece::Rpc, keys::RPC_SERVICE),
            Slot::RpcSystem => piece(Piece::Rpc, keys::RPC_SYSTEM),
            Slot::RpcMethod => piece(Piece::Rpc, keys::RPC_METHOD),
            Slot::LogGroups => member(Section::Aws, keys::CLOUDWATCH_LOGS),
            Slot::ErrorType { .. } => piece(Piece::Exception, keys::TYPE),
            Slot::ErrorMessage { .. } => piece(Piece::Exception, keys::MESSAGE),
            _ => None,
        }
    }

    fn text_in<'b>(&self, body: &'b Body) -> Option<&'b str> {
        match self {
            Self::Member(section, key) => body.text_of(*section, key.as_key()),
            Self::Piece(piece, key) => body.piece(*piece, key.as_key()),
        }
    }

    pub(crate) fn remove_from(&self, body: &mut Body) -> bool {
        match self {
            Self::Member(section, key) => body.remove(*section, key.as_key()),
            Self::Piece(piece, key) => body.remove_piece(*piece, key.as_key()),
        }
    }
}

/// Returns a string as it was before it became JSON.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    serde_json::from_str::<String>(&format!("\"{text}\"")).map_or_else(|_| text.into(), Cow::Owned)
}

impl fmt::Debug for ClosingSpan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosingSpan").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// The user's closure.
pub(crate) struct OnClose(pub(crate) Box<OnCloseFn>);

pub(crate) type OnCloseFn = dyn Fn(&mut ClosingSpan<'_>) + Send + Sync;
