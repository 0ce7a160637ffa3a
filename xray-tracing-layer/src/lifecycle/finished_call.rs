//! Events that describe a finished call.
//!
//! `sqlx` and `mongodb` open no spans. After a statement they send an event with its text and duration. Such
//! a call becomes a subsegment of the current span: a record that is opened and closed at once.
//!
//! ```text
//!  span   ├───────────────────────────────────┤
//!  call        ├────────────┤                     ends at the event, starts the event's duration before
//! ```
//! Fields are mapped in [`conventions`](crate::fields::conventions), callsites are recognized in
//! [`library_event`](crate::fields::library_event).

use std::fmt;

use tracing_core::field::{Field, Visit};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::SegmentId;
use xray_sdk::document::MAX_NAME;
use xray_sdk::document::internal::{Buffer, Section, keys, put_name};

use crate::fields::callsite::{CallsiteId, CallsiteInfo};
use crate::fields::library_event::LibraryEvent;
use crate::fields::value::{Value, visit};
use crate::fields::visitor::FieldVisitor;
use crate::lifecycle::core::Core;
use crate::state::clock::Ticks;
use crate::state::in_flight_commands::Command;
use crate::state::pool;
use crate::state::record::{LambdaState, Role, SpanRecord};

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
        // A platform root is not recorded here, but calls directly below it are.
        let takes = |role: Role| role.is_recorded() || role == Role::PlatformRoot;
        let Some(parent) = self.span_of(event, ctx, takes) else { return };
        if callsite.dropped.is_some() {
            let is_command = library_event == LibraryEvent::CommandStarted;
            return self.output.counters.left_out.add((!is_command).into());
        }
        let now = self.spans.clock.ticks();
        let mut fields = CallFields::default();
        event.record(&mut fields);
        if library_event == LibraryEvent::CommandStarted {
            return self.spans.in_flight_commands.started(fields.request, fields.database, now);
        }
        let mut record = pool::take();
        (record.callsite, record.segment_id, record.lambda_state) =
            (callsite_id, SegmentId::random(), LambdaState::default());
        record.start = now.saturating_sub(fields.elapsed);
        let is_statement = library_event == LibraryEvent::Statement;
        let told_by_span = if is_statement { self.is_statement(parent) } else { self.is_command(parent) };
        let mut visitor = FieldVisitor::for_new(callsite, &self.config.rules, &mut record.body, false);
        visitor.target.has_whole_statement = fields.has_statement;
        let put = |visitor: &mut FieldVisitor<'_>| {
            // In front of the statement, beside which its database is written.
            if is_statement && !told_by_span {
                self.add_database(visitor);
            }
            event.record(visitor);
        };
        put(&mut visitor);
        if visitor.target.takes_summary() {
            put(&mut visitor);
        }
        if told_by_span {
            self.spans.table.with(parent, |span| span.body.absorb(&record.body));
        } else {
            if !is_statement && let Some(started) = self.add_command(&mut visitor, fields.request) {
                record.start = started;
            }
            if self.inherit_from(&mut record, parent) {
                // No other span waits for it, and none is inside.
                self.note_child_closed(&record);
                self.close_record(&mut record, now, now);
            }
        }
        pool::give_back(record);
    }

    /// Returns whether a span is itself the statement, as `sqlx-tracing` and `sea-orm` open one around each. The
    /// event's fields belong to that span then.
    fn is_statement(&self, span: u64) -> bool {
        let by_its_members = |span: &mut SpanRecord| {
            let has = |place, key| span.body.text_of(place, key).is_some();
            let is_operation = || {
                has(Section::Metadata, keys::DB_OPERATION) || has(Section::Metadata, keys::DB_OPERATION_NAME)
            };
            has(Section::Sql, keys::SANITIZED_QUERY)
                || (has(Section::Sql, keys::DATABASE_TYPE)
                    && (self.config.rules.drop_sql_text || is_operation()))
        };
        self.spans.table.with(span, by_its_members).unwrap_or_default()
    }

    /// Returns whether a span is itself the command.
    fn is_command(&self, span: u64) -> bool {
        let is_mongodb =
            |span: &mut SpanRecord| span.body.text_of(Section::Metadata, keys::DB_SYSTEM) == Some("mongodb");
        self.spans.table.with(span, is_mongodb).unwrap_or_default()
    }

    fn add_database(&self, visitor: &mut FieldVisitor<'_>) {
        visitor.target.set_remote();
        visitor.target.put_ready_name(0, keys::DB, &self.config.rules.database.name);
        if let Some(system) = &self.config.rules.database.system {
            visitor.target.put_db_system(system);
        }
    }

    /// Names the command. Returns the time when it was sent, if that is known: the driver's own duration is
    /// in whole milliseconds.
    fn add_command(&self, visitor: &mut FieldVisitor<'_>, request: u64) -> Option<Ticks> {
        visitor.target.put_db_system("mongodb");
        let Command { started, database, .. } = self.spans.in_flight_commands.ended(request)?;
        let mut name = Buffer::new();
        put_name(&mut name, &self.config.rules.redacted("databaseName", &database));
        visitor.target.put_ready_name(0, keys::DB, name.as_str());
        Some(started)
    }
}

/// The fields of an event that are not members of a document.
#[derive(Default)]
struct CallFields {
    /// The duration, in microseconds.
    elapsed: u64,
    /// The command's number.
    request: u64,
    database: String,
    /// Set if there is a statement beside its summary.
    has_statement: bool,
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
            "db.statement" => {
                self.has_statement = matches!(value, Value::Str(text) if !text.trim_ascii().is_empty());
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
