//! Events that carry a finished call. `sqlx` and `mongodb` open no spans: when a statement is done, they say in an
//! event what it was and how long it took. Such a call becomes a subsegment of the span that it happened in, by a
//! record that is opened and closed at once; where it goes from there is [`close`](crate::close)'s, as for any span.
//!
//! ```text
//!  span   ├───────────────────────────────────┤
//!  call        ├────────────┤                     its end is the event, its start the event less what it took
//! ```
//! Which fields stand for what is in [`slot`](crate::slot), how a callsite is recognized in [`plan`](crate::plan).

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing_core::field::{Field, Visit};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::Context as LayerContext;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::SegmentId;
use xray_sdk::document::MAX_NAME;
use xray_sdk::document::internal::{Buffer, Section, put_name};

use crate::clock::Ticks;
use crate::close::Fate;
use crate::core::Core;
use crate::plan::{Plan, PlanId};
use crate::record::{self, Record, Role, Stay};
use crate::value::{Value, visit};
use crate::visit::FieldVisitor;

/// What an event tells of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Teller {
    /// `sqlx`: a statement is done. Whether it failed is not said.
    Statement,
    /// `mongodb`: a command was sent. Only here is the database named.
    CommandStarted,
    /// `mongodb`: it is done, or has failed.
    CommandEnded,
}

impl Teller {
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
    pub(crate) fn call<S>(
        &self,
        event: &Event<'_>,
        teller: Teller,
        (plan_id, plan): (PlanId, &Plan),
        ctx: &LayerContext<'_, S>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // Directly below a Lambda function's segment as well, which is not recorded here.
        let takes = |role: Role| role.is_recorded() || role == Role::Facade;
        let Some(parent) = self.span_of(event, ctx, takes) else { return };
        let now = self.clock.ticks();
        let mut told = Told::default();
        event.record(&mut told);
        if teller == Teller::CommandStarted {
            return self.commands.started(told.request, told.database, now);
        }
        let mut record = record::take();
        (record.plan, record.segment_id, record.stay) = (plan_id, SegmentId::random(), Stay::default());
        record.start = now.saturating_sub(told.elapsed);
        let mut visitor = FieldVisitor::new(plan, &self.rules, &mut record.body, false);
        event.record(&mut visitor);
        let is_statement = teller == Teller::Statement;
        let told_by_span = if is_statement { self.is_statement(parent) } else { self.is_command(parent) };
        if told_by_span {
            self.table.with(parent, |span| span.body.absorb(&record.body));
        } else {
            if is_statement {
                self.add_database(&mut visitor);
            } else if let Some(started) = self.add_command(&mut visitor, told.request) {
                record.start = started;
            }
            if self.inherit_from(&mut record, parent) {
                self.close_call(&mut record, now);
            }
        }
        record::give_back(record);
    }

    /// Whether a span says of itself that it is a statement, as `sqlx-tracing` and `sea-orm` open one around each.
    /// What an event knows goes there then, and not into another subsegment below.
    fn is_statement(&self, span: u64) -> bool {
        let by_its_members = |span: &mut Record| {
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
            |span: &mut Record| span.body.text_of(Section::Metadata, "\"db.system\":") == Some("mongodb");
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
        let Command { started, database, .. } = self.commands.ended(request)?;
        let mut name = Buffer::new();
        put_name(&mut name, &self.rules.redacted("databaseName", &database));
        visitor.put_ready_name(0, "\"db\":", name.as_str());
        Some(started)
    }

    /// Closes what nobody could see open: no other span waits for it, and none is inside.
    fn close_call(&self, record: &mut Record, now: Ticks) {
        if self.lambda.is_some() {
            self.note_child_over(record.parent);
        }
        self.counters.here().closed.one();
        if let Some(on_close) = &self.on_close {
            self.show_closing(on_close, record, now);
        }
        self.counters.losses(record.body.losses());
        let fate = if record.is_local_root() { Fate::Alone } else { self.fold(record, now, now) };
        match fate {
            Fate::Folded { .. } => self.counters.here().folded.one(),
            Fate::Alone => self.send(record, now),
        }
        if record.parent != 0 && self.is_due(&record.context, now) {
            self.announce(record.context.root);
        }
    }
}

/// Commands that were sent, by the number that the driver gives each: for every one the latest in its slot. One that
/// never ends leaves nothing behind but its slot, and one that lost its slot is named by its host alone.
#[derive(Debug)]
pub(crate) struct Commands([Mutex<Command>; COMMANDS]);

#[derive(Debug, Default)]
struct Command {
    request: u64,
    /// 0 if there is none.
    started: Ticks,
    database: String,
}

/// Commands that may be under way at once, if their numbers follow each other.
const COMMANDS: usize = 64;

impl Default for Commands {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Commands {
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
struct Told {
    /// How long the call took, in microseconds.
    elapsed: u64,
    /// The command's number.
    request: u64,
    database: String,
}

impl Told {
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

impl Visit for Told {
    visit! {
        record_str: &str => Str, record_i64: i64 => I64, record_u64: u64 => U64, record_f64: f64 => F64,
        record_bool: bool => Bool, record_debug: &dyn fmt::Debug => Display
    }
}
