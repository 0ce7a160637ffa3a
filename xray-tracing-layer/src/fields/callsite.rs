//! Callsites, compiled. What is the same for all spans of a callsite is worked out when the first of them
//! opens and found again by the callsite's address: no lock, no hash of a string, no allocation.

use std::sync::OnceLock;

use tracing_core::Metadata;
use tracing_core::field::FieldSet;
use tracing_core::metadata::Level;
use xray_sdk::document::StackFrame;
use xray_sdk::document::internal::{Buffer, Section, Stack, put_name};

use crate::fields::conventions::Slot;
use crate::lifecycle::aws_response_event::{EXTENDED_REQUEST_ID, REQUEST_ID};
use crate::lifecycle::finished_call::LibraryEvent;
use crate::settings::config::Annotate;

/// What is known of a callsite beforehand.
#[derive(Debug)]
pub(crate) struct CallsiteInfo {
    /// The span's name as X-Ray takes it, escaped, without quotes.
    pub(crate) name: Box<str>,
    /// The span's name as it is, as a JSON string.
    pub(crate) operation: Box<str>,
    /// What the code calls the span; of an event, its target.
    pub(crate) title: &'static str,
    pub(crate) fields: &'static FieldSet,
    /// A slot for each field, by its index.
    pub(crate) slots: Box<[Slot]>,
    /// Whether no two fields have the same place and key.
    pub(crate) unique: bool,
    /// Whether a field may say that the span is kept, or not.
    pub(crate) forces: bool,
    /// Whether one of the fields is the header of a segment that somebody else sends.
    pub(crate) platform_root: bool,
    /// Whether one of the fields has a say in what the span becomes.
    pub(crate) decides: bool,
    /// For an event: what it is to us.
    pub(crate) event: EventKind,
    /// Where in the code the callsite is.
    pub(crate) stack: Stack,
}

/// What an event can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// Nothing.
    Ignored,
    /// The span it happened in has failed.
    Error,
    /// The same, said by a library that only passes on what the span may know already.
    Echo,
    /// A library tells by an event what belongs to the span.
    Fields,
    /// The AWS SDK tells that an attempt at a call was answered.
    AwsResponse,
    /// Lambda's runtime tells that the handler failed, when its spans were left already.
    LambdaFailure,
    /// Lambda's runtime is between two invocations.
    LambdaIdle,
    /// A library tells of a call that it is done, or will be.
    FinishedCall(LibraryEvent),
}

impl CallsiteInfo {
    /// Whether a span may be recorded though the one around it is not.
    #[inline]
    pub(crate) fn overrides_unsampled(&self) -> bool {
        self.forces || self.platform_root
    }

    fn compile(metadata: &'static Metadata<'static>, annotate: &Annotate) -> Self {
        let (mut name, mut operation) = (Buffer::new(), Buffer::new());
        put_name(&mut name, metadata.name());
        operation.put_string_within(metadata.name(), xray_sdk::document::MAX_STRING);
        let is_event = metadata.is_event();
        let slots: Box<[Slot]> = metadata
            .fields()
            .iter()
            .map(|field| match Slot::of(field.name(), metadata.target(), annotate) {
                // On a span, `message` is a field like any other.
                Slot::Message if !is_event => {
                    Slot::Any { place: Section::Metadata, key: "\"message\":".into() }
                }
                slot => slot,
            })
            .collect();
        let twice = |(i, slot): (usize, &Slot)| slots[..i].contains(slot);
        let unique = !slots.iter().enumerate().any(twice) && !slots.iter().any(is_also_ours);
        let module = metadata.module_path().unwrap_or_else(|| metadata.target());
        let library_event = LibraryEvent::of(metadata).filter(|_| is_event);
        let event = match *metadata.level() {
            _ if !is_event => EventKind::Ignored,
            _ if library_event.is_some() => library_event.map_or(EventKind::Ignored, EventKind::FinishedCall),
            Level::ERROR if metadata.target().starts_with("tower_http::trace::on_failure") => EventKind::Echo,
            Level::ERROR if metadata.target() == "lambda_runtime::layers::panic" => EventKind::LambdaFailure,
            Level::ERROR => EventKind::Error,
            _ if is_aws_response(metadata) => EventKind::AwsResponse,
            _ if has_fields_of_its_span(metadata) => EventKind::Fields,
            _ if is_between_invocations(metadata) => EventKind::LambdaIdle,
            _ => EventKind::Ignored,
        };
        Self {
            name: name.as_str().into(),
            operation: operation.as_str().into(),
            title: if is_event { metadata.target() } else { metadata.name() },
            fields: metadata.fields(),
            decides: slots.iter().any(Slot::is_decisive),
            forces: !is_event && slots.contains(&Slot::Sampled),
            platform_root: slots.contains(&Slot::Header { platform_root: true }),
            slots,
            unique,
            event,
            stack: Stack::new(&[StackFrame {
                path: metadata.file().unwrap_or(module),
                line: metadata.line().unwrap_or_default(),
                label: module,
            }]),
        }
    }
}

/// Metadata that other slots write as well, where a document has no better place.
fn is_also_ours(slot: &Slot) -> bool {
    let ours = ["\"client.address\":", "\"db.system\":", "\"user.id\":", "\"follows_from\":"];
    matches!(slot, Slot::Any { place: Section::Metadata, key } if ours.contains(&&**key))
}

/// Events of the loop in which Lambda's runtime asks for invocations. It waits for each to end.
pub(crate) fn is_between_invocations(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && *metadata.level() == Level::TRACE && metadata.target() == "lambda_runtime::runtime"
}

/// Events by which a library says what it could not say when its span opened.
pub(crate) fn has_fields_of_its_span(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    (target.starts_with("tower_http::trace::on_response") && has(metadata, "status"))
        || is_aws_response(metadata)
}

/// What the AWS SDK says of each answer that it gets, S3's client in two events.
fn is_aws_response(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    target.starts_with("aws_sdk_")
        && target.contains("::operation")
        && (has(metadata, REQUEST_ID) || has(metadata, EXTENDED_REQUEST_ID))
}

fn has(metadata: &Metadata<'_>, field: &str) -> bool {
    metadata.fields().field(field).is_some()
}

/// Plans by the address of their callsite's metadata.
///
/// A hash table that is only ever added to, each of its slots written once. A table that is three quarters
/// full is followed by one of twice its size.
#[derive(Debug)]
pub(crate) struct CallsiteCache {
    slots: Box<[OnceLock<(usize, CallsiteInfo)>]>,
    first_id: u32,
    next: OnceLock<Box<Self>>,
    annotate: Annotate,
}

/// Names a plan, for as long as its table lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CallsiteId(u32);

impl CallsiteCache {
    pub(crate) fn new(annotate: Annotate) -> Self {
        Self::with_size(FIRST_SIZE, 0, annotate)
    }

    fn with_size(size: usize, first_id: u32, annotate: Annotate) -> Self {
        Self {
            slots: std::iter::repeat_with(OnceLock::new).take(size).collect(),
            first_id,
            next: OnceLock::new(),
            annotate,
        }
    }

    /// The callsite's plan, compiled now if it is new.
    #[inline]
    pub(crate) fn of(&self, metadata: &'static Metadata<'static>) -> (CallsiteId, &CallsiteInfo) {
        let key = std::ptr::from_ref(metadata).addr();
        let mask = self.slots.len() - 1;
        // Metadata are statics, aligned to eight bytes; the multiplier spreads what is left (Fibonacci hashing).
        let start = (key >> 3).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize) >> (usize::BITS / 2);
        match self.slots.get(start & mask).and_then(OnceLock::get) {
            Some((found, callsite)) if *found == key => {
                (CallsiteId(self.first_id + (start & mask) as u32), callsite)
            }
            _ => self.search(metadata, key, start),
        }
    }

    /// Looks where the callsite may be besides, and compiles it if it is nowhere.
    #[cold]
    fn search(
        &self,
        metadata: &'static Metadata<'static>,
        key: usize,
        start: usize,
    ) -> (CallsiteId, &CallsiteInfo) {
        for probe in 0..PROBES {
            let index = (start + probe) & (self.slots.len() - 1);
            let (found, callsite) =
                self.slots[index].get_or_init(|| (key, CallsiteInfo::compile(metadata, &self.annotate)));
            if *found == key {
                return (CallsiteId(self.first_id + index as u32), callsite);
            }
        }
        self.next().of(metadata)
    }

    /// The callsite's plan, if one of its spans was here before: if it passed the layer's filter.
    pub(crate) fn known(&self, metadata: &'static Metadata<'static>) -> Option<CallsiteId> {
        let key = std::ptr::from_ref(metadata).addr();
        let at = self.slots.iter().position(|slot| slot.get().is_some_and(|(found, _)| *found == key));
        match at {
            Some(index) => Some(CallsiteId(self.first_id + index as u32)),
            None => self.next.get()?.known(metadata),
        }
    }

    /// A plan that was given out before.
    #[inline]
    pub(crate) fn get(&self, CallsiteId(id): CallsiteId) -> Option<&CallsiteInfo> {
        let index = (id - self.first_id) as usize;
        match self.slots.get(index) {
            Some(slot) => slot.get().map(|(_, callsite)| callsite),
            None => self.next.get()?.get(CallsiteId(id)),
        }
    }

    #[cold]
    fn next(&self) -> &Self {
        self.next.get_or_init(|| {
            let size = self.slots.len();
            Box::new(Self::with_size(size * 2, self.first_id + size as u32, self.annotate.clone()))
        })
    }
}

/// A large service has some hundred callsites that reach the layer.
const FIRST_SIZE: usize = 1024;

/// How far to look for a free slot before going on to the next table.
const PROBES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tracing_subscriber::layer::{Context, SubscriberExt};

    struct Collect(Arc<std::sync::Mutex<Vec<&'static Metadata<'static>>>>);
    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Collect {
        fn on_new_span(
            &self,
            attrs: &tracing_core::span::Attributes<'_>,
            _: &tracing_core::span::Id,
            _: Context<'_, S>,
        ) {
            self.0.lock().unwrap().push(attrs.metadata());
        }
    }

    #[test]
    fn plans_are_found_again_also_when_the_first_table_is_full() {
        let seen = Arc::default();
        tracing::subscriber::with_default(
            tracing_subscriber::registry().with(Collect(Arc::clone(&seen))),
            || {
                let _ = tracing::info_span!("one", a = 1);
                let _ = tracing::info_span!("two {}", "annotation.b" = 1);
                let _ = tracing::info_span!("three");
            },
        );
        let seen = seen.lock().unwrap().clone();
        // A table of one slot overflows at once.
        let callsites = CallsiteCache::with_size(1, 0, Annotate::default());
        let ids: Vec<_> = seen.iter().map(|m| callsites.of(m).0).collect();
        for (metadata, id) in seen.iter().zip(&ids) {
            assert_eq!(callsites.of(metadata).0, *id);
            assert_eq!(*callsites.get(*id).unwrap().operation, format!("\"{}\"", metadata.name()));
        }
        assert_eq!(&*callsites.get(ids[1]).unwrap().name, "two __");
    }
}
