//! Callsite data that all spans of a callsite share, computed once.
//! The first span of a callsite computes it. Later spans find it by the address of the callsite's metadata:
//! no lock, no string hash, no allocation. Nothing here looks at values.

use std::sync::{Arc, OnceLock};

use tracing_core::Metadata;
use tracing_core::field::FieldSet;
use xray_sdk::document::StackFrame;
use xray_sdk::document::internal::{Buffer, Opening, Operation, PlainKey, Section, Stack, keys, put_name};

use crate::fields::conventions::slot_of;
use crate::fields::library_event::EventKind;
use crate::fields::slot::Slot;
use crate::fields::visitor::ReadyWays;
use crate::settings::callsites::CallsiteSettings;
use crate::settings::drop_rule::Dropped;

/// The data that all spans or events of a callsite share.
#[derive(Debug)]
pub(crate) struct CallsiteInfo {
    /// The span's name or the event's target, sanitized and escaped, without quotes.
    pub(crate) name: Box<str>,
    /// The beginning of the documents of its small spans, if the name is short.
    pub(crate) opening: Option<Opening>,
    /// The keys of its fields by index, if each is metadata or an annotation under a short key of its own.
    pub(crate) plain_keys: Option<Box<[PlainKey]>>,
    /// The ways of a span's fields, if no two of them are the same member.
    pub(crate) ways: Option<Box<ReadyWays>>,
    /// Set if it is of spans with such ways whose fields that decide about a root come first, or are OpenTelemetry's kind
    /// alone.
    pub(crate) decides_early: bool,
    /// The span's name, unchanged.
    pub(crate) operation: Operation,
    /// The span's name; for an event, its target.
    pub(crate) title: &'static str,
    pub(crate) fields: &'static FieldSet,
    /// The slot of each field, by the field's index.
    pub(crate) slots: Box<[Slot]>,
    /// Set if no two fields have the same section and key.
    pub(crate) unique: bool,
    /// Set if no two fields are the same member of the request, or the same piece of its URL.
    pub(crate) distinct_request: bool,
    /// Set if there is a statement, and a field behind it may say which kind of database it is for; of an event, any field.
    pub(crate) states_system_late: bool,
    /// Set if there is a statement.
    pub(crate) has_statement: bool,
    /// Set if a field may carry the user's sampling decision.
    pub(crate) has_decision: bool,
    /// Set if a field carries the header of the platform's segment.
    pub(crate) platform_root: bool,
    /// Set if a field decides what the span becomes; see [`Slot::is_decisive`].
    pub(crate) has_decisive_fields: bool,
    /// The part that a rule of the user's leaves out, if one applies.
    pub(crate) dropped: Option<Dropped>,
    /// The index of OpenTelemetry's kind, if that is the only field that decides, and does not come first.
    pub(crate) late_kind: Option<usize>,
    /// Set if it is of ERROR events that have a message and no other field.
    pub(crate) is_message_alone: bool,
    /// The meaning of an event.
    pub(crate) event: EventKind,
    /// The callsite's position in the source, as a stack frame.
    pub(crate) stack: Stack,
}

impl CallsiteInfo {
    /// Returns whether a span may be recorded inside an unsampled one.
    #[inline]
    pub(crate) fn overrides_unsampled(&self) -> bool {
        self.has_decision || self.platform_root
    }

    /// Returns the decision about its spans that a rule has made.
    #[inline]
    pub(crate) fn forced(&self) -> Option<bool> {
        (self.dropped == Some(Dropped::WithChildren)).then_some(false)
    }

    fn compile(metadata: &'static Metadata<'static>, settings: &CallsiteSettings) -> Self {
        let annotate = &settings.annotate;
        let mut name = Buffer::new();
        let is_event = metadata.is_event();
        // The name of an event is its place in the source.
        let title = if is_event { metadata.target() } else { metadata.name() };
        put_name(&mut name, title);
        let slots: Box<[Slot]> = metadata
            .fields()
            .iter()
            .map(|field| match slot_of(field.name(), metadata.target(), annotate) {
                // On a span, `message` is a field like any other.
                Slot::Message if !is_event => {
                    Slot::Any { section: Section::Metadata, rank: 0, key: keys::MESSAGE.into() }
                }
                slot => slot,
            })
            .collect();
        let twice = |(i, slot): (usize, &Slot)| slots[..i].contains(slot);
        let has_statement = || slots.iter().any(|slot| matches!(slot, Slot::Statement { .. }));
        // Exactly one field says so, in front of all statements.
        let has_system_first = || {
            let mut facts =
                slots.iter().filter(|slot| matches!(slot, Slot::DbSystem | Slot::Statement { .. }));
            !is_event && facts.next() == Some(&Slot::DbSystem) && facts.all(|slot| *slot != Slot::DbSystem)
        };
        let unique = !slots.iter().enumerate().any(twice) && !slots.iter().any(is_also_ours);
        let module = metadata.module_path().unwrap_or_else(|| metadata.target());
        let plain_key = |slot: &Slot| match slot {
            Slot::Any { section, rank, key } => PlainKey::new(*section, *rank, key.as_key()),
            _ => None,
        };
        // Two annotations whose keys become the same once sanitized differ by their ranks only.
        let same_key = |(i, slot): (usize, &Slot)| {
            let key_of = |slot: &Slot| match slot {
                Slot::Any { section, key, .. } => Some((*section, key.clone())),
                _ => None,
            };
            slots[..i].iter().any(|other| key_of(other) == key_of(slot))
        };
        let plain_keys = || {
            let keys = slots.iter().map(plain_key).collect::<Option<Box<[_]>>>()?;
            (!slots.iter().enumerate().any(same_key)).then_some(keys)
        };
        let event = EventKind::of(metadata, settings.breadcrumbs);
        let platform_root = slots.contains(&Slot::Header { platform_root: true });
        let may_be_dropped = !platform_root && (!is_event || matches!(event, EventKind::FinishedCall(_)));
        let dropped = if may_be_dropped { settings.drop_rules.apply(metadata, title) } else { None };
        let places: Vec<_> = slots.iter().filter_map(Slot::place_in_request).collect();
        let again = |(i, place): (usize, &_)| places[..i].contains(place);
        let decisive = slots.iter().enumerate().filter(|(_, slot)| slot.is_decisive());
        let late_kind = match (decisive.clone().next(), decisive.clone().count()) {
            (Some((index, Slot::OtelKind)), 1) if index > 0 => Some(index),
            _ => None,
        };
        let decides_first =
            decisive.enumerate().all(|(at, (index, slot))| at == index && slot.decides_by_itself());
        let ways = if unique && !is_event { ReadyWays::of(&slots).map(Box::new) } else { None };
        Self {
            decides_early: (late_kind.is_some() || decides_first) && dropped.is_none() && ways.is_some(),
            ways,
            late_kind,
            is_message_alone: event == EventKind::Error && matches!(*slots, [Slot::Message]),
            distinct_request: unique && !places.iter().enumerate().any(again),
            opening: Opening::new(name.as_str()),
            plain_keys: if unique && !is_event && dropped.is_none() { plain_keys() } else { None },
            name: name.as_str().into(),
            operation: Operation::new(metadata.name()),
            title,
            fields: metadata.fields(),
            has_decisive_fields: slots.iter().any(Slot::is_decisive),
            has_decision: !is_event && slots.contains(&Slot::Sampled),
            has_statement: has_statement(),
            states_system_late: has_statement() && slots.contains(&Slot::DbSystem) && !has_system_first(),
            platform_root,
            dropped,
            slots,
            unique,
            event,
            stack: Stack::new(&[StackFrame::new(
                metadata.file().unwrap_or(module),
                metadata.line().unwrap_or_default(),
                module,
            )]),
        }
    }
}

/// Returns whether another slot may write the same metadata key, for want of a better place.
fn is_also_ours(slot: &Slot) -> bool {
    let ours = [keys::CLIENT_ADDRESS, keys::DB_SYSTEM, keys::USER_ID, keys::FOLLOWS_FROM, keys::RPC_STATUS];
    matches!(slot, Slot::Any { section: Section::Metadata, key, .. } if ours.contains(&key.as_key()))
}

/// A cache of callsites, by the address of their metadata.
///
/// An append-only hash table whose slots are each written once. When a table is full in the place that a
/// callsite belongs to, it is followed by one of twice its size.
#[derive(Debug)]
pub(crate) struct CallsiteCache {
    slots: Box<[OnceLock<(usize, CallsiteInfo)>]>,
    first_id: u32,
    next: OnceLock<Box<Self>>,
    settings: Arc<CallsiteSettings>,
}

/// The number of a callsite in its cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CallsiteId(u32);

impl CallsiteCache {
    pub(crate) fn new(settings: CallsiteSettings) -> Self {
        Self::with_size(FIRST_SIZE, 0, Arc::new(settings))
    }

    /// Returns the settings about callsites.
    pub(crate) fn settings(&self) -> &CallsiteSettings {
        &self.settings
    }

    fn with_size(size: usize, first_id: u32, settings: Arc<CallsiteSettings>) -> Self {
        Self {
            slots: std::iter::repeat_with(OnceLock::new).take(size).collect(),
            first_id,
            next: OnceLock::new(),
            settings,
        }
    }

    /// Returns the callsite's data, computed now if it is new.
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

    /// Searches the other slots of the callsite, and computes its data if none has it.
    #[cold]
    fn search(
        &self,
        metadata: &'static Metadata<'static>,
        key: usize,
        start: usize,
    ) -> (CallsiteId, &CallsiteInfo) {
        let mut compiled = None;
        for probe in 0..PROBES {
            let index = (start + probe) & (self.slots.len() - 1);
            let slot = &self.slots[index];
            if slot.get().is_none() {
                // The user's rules may run in here, so the slot must not be locked yet.
                let new =
                    compiled.take().unwrap_or_else(|| (key, CallsiteInfo::compile(metadata, &self.settings)));
                compiled = slot.set(new).err();
            }
            if let Some((found, callsite)) = slot.get()
                && *found == key
            {
                return (CallsiteId(self.first_id + index as u32), callsite);
            }
        }
        self.next().of(metadata)
    }

    /// Returns the callsite's number if a span of it has passed the layer's filter before.
    pub(crate) fn known(&self, metadata: &'static Metadata<'static>) -> Option<CallsiteId> {
        let key = std::ptr::from_ref(metadata).addr();
        let at = self.slots.iter().position(|slot| slot.get().is_some_and(|(found, _)| *found == key));
        match at {
            Some(index) => Some(CallsiteId(self.first_id + index as u32)),
            None => self.next.get()?.known(metadata),
        }
    }

    /// Returns the data of a callsite by its number.
    #[inline]
    pub(crate) fn get(&self, CallsiteId(id): CallsiteId) -> Option<&CallsiteInfo> {
        let index = (id - self.first_id) as usize;
        match self.slots.get(index) {
            Some(slot) => slot.get().map(|(_, callsite)| callsite),
            None => self.get_of_next(CallsiteId(id)),
        }
    }

    #[cold]
    #[inline(never)]
    fn get_of_next(&self, id: CallsiteId) -> Option<&CallsiteInfo> {
        self.next.get()?.get(id)
    }

    #[cold]
    fn next(&self) -> &Self {
        self.next.get_or_init(|| {
            let size = self.slots.len();
            Box::new(Self::with_size(size * 2, self.first_id + size as u32, Arc::clone(&self.settings)))
        })
    }
}

/// A large service has some hundred callsites that reach the layer.
const FIRST_SIZE: usize = 1024;

/// The slots that are looked at before going on to the next table.
const PROBES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
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
        let callsites = CallsiteCache::with_size(1, 0, Arc::default());
        let ids: Vec<_> = seen.iter().map(|m| callsites.of(m).0).collect();
        for (metadata, id) in seen.iter().zip(&ids) {
            assert_eq!(callsites.of(metadata).0, *id);
            assert_eq!(callsites.get(*id).unwrap().operation.json(), format!("\"{}\"", metadata.name()));
        }
        assert_eq!(&*callsites.get(ids[1]).unwrap().name, "two __");
    }

    struct Late(CallsiteCache, Arc<std::sync::Mutex<Vec<bool>>>);
    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Late {
        fn on_new_span(
            &self,
            attrs: &tracing_core::span::Attributes<'_>,
            _: &tracing_core::span::Id,
            _: Context<'_, S>,
        ) {
            self.1.lock().unwrap().push(self.0.of(attrs.metadata()).1.states_system_late);
        }

        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            self.1.lock().unwrap().push(self.0.of(event.metadata()).1.states_system_late);
        }
    }

    #[test]
    fn the_kind_of_database_is_looked_for_beforehand_where_it_may_come_late() {
        let late = Arc::default();
        let layer = Late(CallsiteCache::new(CallsiteSettings::default()), Arc::clone(&late));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let _ = tracing::info_span!("first", db.system = "sqlite", db.query.text = "select 1");
            let _ = tracing::info_span!("last", db.query.text = "select 1", db.system = "sqlite");
            let _ = tracing::info_span!(
                "both",
                db.system = "sqlite",
                db.query.text = "select 1",
                db.system.name = "mysql"
            );
            let _ = tracing::info_span!("no statement", db.system = "sqlite");
            tracing::error!(db.system = "sqlite", db.query.text = "select 1");
        });
        assert_eq!(*late.lock().unwrap(), [false, true, true, false, true]);
    }
}
