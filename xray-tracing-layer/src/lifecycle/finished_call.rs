//! Events that carry a finished call. `sqlx` and `mongodb` open no spans: when a statement is done, they say in an
//! event what it was and how long it took. Such a call becomes a subsegment of the span that it happened in, by a
//! record that is opened and closed at once; where it goes from there is [`close`](crate::lifecycle::close)'s, as for any span.
//!
//! ```text
//!  span   ├───────────────────────────────────┤
//!  call        ├────────────┤                     its end is the event, its start the event less what it took
//! ```
//! Which fields stand for what is in [`slot`](crate::fields::conventions), how a callsite is recognized in [`plan`](crate::fields::callsite).

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing_core::field::{Field, Visit};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::SegmentId;
use xray_sdk::document::MAX_NAME;
use xray_sdk::document::internal::{Buffer, Section, put_name};

use crate::fields::callsite::{CallsiteId, CallsiteInfo};
use crate::fields::value::{Value, visit};
use crate::fields::visitor::FieldVisitor;
use crate::lifecycle::close::Destination;
use crate::lifecycle::core::Core;
use crate::state::clock::Ticks;
use crate::state::record::{self, LambdaState, Role, SpanRecord};

/// What an event tells of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LibraryEvent {
    /// `sqlx`: a statement is done. Whether it failed is not said.
    Statement,
    /// `mongodb`: a command was sent. Only here is the database named.
    CommandStarted,
    /// `mongodb`: it is done, or has failed.
    CommandEnded,
}

impl LibraryEvent {
    pub(crate) fn of(metadata: &Metadata<'_>) -> Option<Self> {
        let has = |field| metadata.fields().field(field).is_some();
        match metadata.target() {
            SQLX if has("elapsed_secs") => Some(Self::Statement),
            MONGODB if has("durationMS") => Some(Self::CommandEnded),
            MONGODB if has("databaseName") => Some(Self::CommandStarted),
            _ => None,
        }
    }

    /// Whether a library asks by this callsite if it should tell of its calls, without an event yet: what
    /// `tracing::enabled!` does.
    pub(crate) fn is_asked_for(metadata: &Metadata<'_>) -> bool {
        !metadata.is_span() && !metadata.is_event() && matches!(metadata.target(), SQLX | MONGODB)
    }
}

const SQLX: &str = "sqlx::query";
const MONGODB: &str = "mongodb::command";

impl Core {
    pub(crate) fn finished_call<S>(
        &self,
        event: &Event<'_>,
        library_event: LibraryEvent,
        (callsite_id, callsite): (CallsiteId, &CallsiteInfo),
        ctx: &Context<'_, S>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // Directly below a Lambda function's segment as well, which is not recorded here.
        let takes = |role: Role| role.is_recorded() || role == Role::PlatformRoot;
        let Some(parent) = self.span_of(event, ctx, takes) else { return };
        let now = self.clock.ticks();
        let mut fields = CallFields::default();
        event.record(&mut fields);
        if library_event == LibraryEvent::CommandStarted {
            return self.in_flight_commands.started(fields.request, fields.database, now);
        }
        let mut record = record::take();
        (record.callsite, record.segment_id, record.lambda_state) =
            (callsite_id, SegmentId::random(), LambdaState::default());
        record.start = now.saturating_sub(fields.elapsed);
        let mut visitor = FieldVisitor::new(callsite, &self.rules, &mut record.body, false);
        event.record(&mut visitor);
        let is_statement = library_event == LibraryEvent::Statement;
        let told_by_span = if is_statement { self.is_statement(parent) } else { self.is_command(parent) };
        if told_by_span {
            self.table.with(parent, |span| span.body.absorb(&record.body));
        } else {
            if is_statement {
                self.add_database(&mut visitor);
            } else if let Some(started) = self.add_command(&mut visitor, fields.request) {
                record.start = started;
            }
            if self.inherit_from(&mut record, parent) {
                self.close_finished_call(&mut record, now);
            }
        }
        record::give_back(record);
    }

    /// Whether a span says of itself that it is a statement, as `sqlx-tracing` and `sea-orm` open one around each.
    /// What an event knows goes there then, and not into another subsegment below.
    fn is_statement(&self, span: u64) -> bool {
        let by_its_members = |span: &mut SpanRecord| {
            let has = |place, key| span.body.text_of(place, key).is_some();
            let is_operation = || {
                has(Section::Metadata, "\"db.operation\":")
                    || has(Section::Metadata, "\"db.operation.name\":")
            };
            has(Section::Sql, "\"sanitized_query\":")
                || (has(Section::Sql, "\"database_type\":") && (self.rules.drop_sql_text || is_operation()))
        };
        self.table.with(span, by_its_members).unwrap_or_default()
    }

    /// The same of a command.
    fn is_command(&self, span: u64) -> bool {
        let is_mongodb =
            |span: &mut SpanRecord| span.body.text_of(Section::Metadata, "\"db.system\":") == Some("mongodb");
        self.table.with(span, is_mongodb).unwrap_or_default()
    }

    fn add_database(&self, visitor: &mut FieldVisitor<'_>) {
        visitor.set_remote();
        visitor.put_ready_name(0, "\"db\":", &self.rules.database.name);
        if let Some(system) = &self.rules.database.system {
            visitor.put_db_system(system);
        }
    }

    /// Answers when the command was sent, if that was seen: its own milliseconds are whole ones.
    fn add_command(&self, visitor: &mut FieldVisitor<'_>, request: u64) -> Option<Ticks> {
        visitor.put_db_system("mongodb");
        let Command { started, database, .. } = self.in_flight_commands.ended(request)?;
        let mut name = Buffer::new();
        put_name(&mut name, &self.rules.redacted("databaseName", &database));
        visitor.put_ready_name(0, "\"db\":", name.as_str());
        Some(started)
    }

    /// Closes what nobody could see open: no other span waits for it, and none is inside.
    fn close_finished_call(&self, record: &mut SpanRecord, now: Ticks) {
        if self.lambda.is_some() {
            self.note_child_closed(record.parent);
        }
        self.counters.here().closed.one();
        if let Some(on_close) = &self.on_close {
            self.run_on_close(on_close, record, now);
        }
        self.counters.losses(record.body.losses());
        let destination =
            if record.is_local_root() { Destination::Alone } else { self.fold(record, now, now) };
        match destination {
            Destination::Folded { .. } => self.counters.here().folded.one(),
            Destination::Alone => self.send(record, now),
        }
        if record.parent != 0 && self.is_due(&record.context, now) {
            self.announce(record.context.root);
        }
    }
}

/// Commands that were sent, by the number that the driver gives each: for every one the latest in its slot. One that
/// never ends leaves nothing behind but its slot, and one that lost its slot is named by its host alone.
#[derive(Debug)]
pub(crate) struct InFlightCommands([Mutex<Command>; COMMANDS]);

#[derive(Debug, Default)]
struct Command {
    request: u64,
    /// 0 if there is none.
    started: Ticks,
    database: String,
}

/// Commands that may be under way at once, if their numbers follow each other.
const COMMANDS: usize = 64;

impl Default for InFlightCommands {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl InFlightCommands {
    fn started(&self, request: u64, database: String, now: Ticks) {
        *self.slot(request) = Command { request, started: now, database };
    }

    /// Forgets the command, if it is still known.
    fn ended(&self, request: u64) -> Option<Command> {
        let mut slot = self.slot(request);
        (slot.request == request && slot.started != 0).then(|| std::mem::take(&mut *slot))
    }

    fn slot(&self, request: u64) -> MutexGuard<'_, Command> {
        self.0[request as usize % COMMANDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an event says that is no member of a document.
#[derive(Default)]
struct CallFields {
    /// How long the call took, in microseconds.
    elapsed: u64,
    /// The command's number.
    request: u64,
    database: String,
}

impl CallFields {
    fn put(&mut self, field: &Field, value: Value<'_>) {
        match field.name() {
            "elapsed_secs" => {
                if let Value::F64(seconds) = value {
                    // A cast from a float saturates, and takes NaN for 0.
                    self.elapsed = (seconds * 1e6) as u64;
                }
            }
            "durationMS" => self.elapsed = value.as_u64().unwrap_or_default().saturating_mul(1000),
            "requestId" => self.request = value.as_u64().unwrap_or_default(),
            "databaseName" => {
                value.with_text(|text| self.database = text[..text.floor_char_boundary(MAX_NAME)].to_owned());
            }
            _ => {}
        }
    }
}

impl Visit for CallFields {
    visit! {
        record_str: &str => Str, record_i64: i64 => I64, record_u64: u64 => U64, record_f64: f64 => F64,
        record_bool: bool => Bool, record_debug: &dyn fmt::Debug => Display
    }
}
