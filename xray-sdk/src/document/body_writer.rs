//! A body's members in the order of the grammar: flags, blocks, cause, annotations, metadata.
//! Called by [`Frame`](super::internal::Frame) alone, for the layer's documents and for those made by hand.

use super::body::Body;
use super::entry::Entry;
use super::flags::{Flags, Outcome};
use super::keys::{self, Key};
use super::operation::{METADATA, Operation};
use super::section::{Namespace, Part};
use super::segment_members::Own;
use super::truncation::Truncation;
use crate::json::{Buffer, string_token_len};

impl Body {
    /// Appends every member of any body, each after a comma.
    #[inline(never)]
    pub(super) fn write(&self, out: &mut Buffer, own: Option<Own<'_>>) {
        if own.is_none()
            && let Some(members) = self.plain_metadata()
        {
            if !members.is_empty() {
                out.put(",\"metadata\":{\"default\":{");
                out.put_bytes(members);
                out.put("}}");
            }
            return;
        }
        if own.is_none()
            && let Some(namespace) = self.namespace
        {
            out.put(namespace.member());
        }
        let failed = self.write_flags(out);
        self.write_http(out);
        match own {
            Some(own) if !self.may_have(Part::Aws) && !self.may_have(Part::RpcPiece) => own.write_aws(out),
            None if !self.may_have(Part::Aws) && !self.may_have(Part::RpcPiece) => {}
            _ => self.write_any_aws(out, own),
        }
        if own.is_none() {
            self.write_object(out, Part::Sql, ",\"sql\":{", "}");
        }
        if self.may_have(Part::Top) {
            self.write_members(out, Part::Top, false);
        }
        self.write_cause(out, failed);
        self.write_object(out, Part::Annotation, ",\"annotations\":{", "}");
        self.write_metadata(out, own);
    }

    /// Appends the flags. Returns which flag was set.
    #[inline]
    fn write_flags(&self, out: &mut Buffer) -> Option<&'static str> {
        self.has_failed().then(|| self.write_failure(out)).flatten()
    }

    fn write_failure(&self, out: &mut Buffer) -> Option<&'static str> {
        let outcome = self.outcome();
        out.put(outcome.members());
        let Outcome { error, throttle, fault } = outcome;
        if fault {
            Some("fault")
        } else if throttle {
            Some("throttle")
        } else if error {
            Some("error")
        } else {
            None
        }
    }

    fn write_http(&self, out: &mut Buffer) {
        let request = self.may_have(Part::HttpRequest) || self.has_url_pieces();
        let response = self.may_have(Part::HttpResponse) || self.status().is_some();
        if !request && !response {
            return;
        }
        if request {
            out.put(",\"http\":{\"request\":{");
            let wrote = self.write_members(out, Part::HttpRequest, true);
            if self.may_have(Part::UrlPiece) {
                self.write_url_from_parts(out, !wrote);
            }
            if !response {
                return out.put("}}");
            }
        }
        match (request, self.status()) {
            (true, Some(_)) => out.put("},\"response\":{\"status\":"),
            (true, None) => out.put("},\"response\":{"),
            (false, Some(_)) => out.put(",\"http\":{\"response\":{\"status\":"),
            (false, None) => out.put(",\"http\":{\"response\":{"),
        }
        if let Some(status) = self.status() {
            out.put_status(status);
        }
        if self.may_have(Part::HttpResponse) {
            self.write_members(out, Part::HttpResponse, self.status().is_none());
        }
        out.put("}}");
    }

    #[inline(never)]
    fn write_any_aws(&self, out: &mut Buffer, own: Option<Own<'_>>) {
        let operation = self
            .value_of(Part::RpcPiece, keys::RPC_METHOD)
            .filter(|_| self.namespace == Some(Namespace::Aws));
        if own.is_none() && operation.is_none() && !self.may_have(Part::Aws) {
            return;
        }
        match own {
            Some(own) => own.begin_aws(out, self.value_of(Part::Aws, keys::CLOUDWATCH_LOGS).is_none()),
            None => out.put(",\"aws\":{"),
        }
        let wrote = self.write_members(out, Part::Aws, own.is_none());
        if let Some(operation) = operation.filter(|_| self.value_of(Part::Aws, keys::OPERATION).is_none()) {
            out.put(if wrote || own.is_some() { "," } else { "" });
            out.put(keys::OPERATION.json());
            out.put_bytes(operation);
        }
        out.put("}");
        if let Some(own) = own {
            out.put_buffer(&own.preamble.top);
        }
    }

    fn write_metadata(&self, out: &mut Buffer, own: Option<Own<'_>>) {
        let operation = own.and_then(|own| own.operation);
        let lost = self.losses() != Truncation::default();
        let rpc = self.may_have(Part::RpcPiece) && self.namespace != Some(Namespace::Aws);
        // A segment has no place for a database call: it is kept where nothing is expected of it.
        let sql = own.is_some() && self.may_have(Part::Sql);
        let any = self.may_have(Part::Metadata) || self.may_have(Part::MetadataIn);
        let survived =
            self.flags.has(Flags::SUCCEEDED) && self.may_have(Part::Exception) && !self.has_failed();
        if !(any || lost || rpc || sql || survived || operation.is_some()) {
            return;
        }
        if let Some(operation) = operation
            && !(any || lost || rpc || sql || survived || self.may_have(Part::NamePiece))
        {
            return out.put(operation.alone());
        }
        if operation.is_none() && !(lost || rpc || sql || survived || self.may_have(Part::MetadataIn)) {
            return self.write_object(out, Part::Metadata, METADATA, "}}");
        }
        self.write_any_metadata(out, operation, (any, lost, rpc, sql, survived));
    }

    #[inline(never)]
    fn write_any_metadata(
        &self,
        out: &mut Buffer,
        operation: Option<&Operation>,
        (any, lost, rpc, sql, survived): (bool, bool, bool, bool, bool),
    ) {
        out.put(METADATA);
        let mut wrote = self.may_have(Part::Metadata) && self.write_members(out, Part::Metadata, true);
        let mut key = |out: &mut Buffer, key: Key<'_>| {
            // What a field of the user's is called already goes without.
            let free = !any || self.value_of(Part::Metadata, key).is_none();
            if free {
                out.put(if std::mem::replace(&mut wrote, true) { "," } else { "" });
                out.put(key.json());
            }
            free
        };
        if rpc {
            for name in [keys::RPC_SYSTEM, keys::RPC_SERVICE, keys::RPC_METHOD] {
                if let Some(value) = self.value_of(Part::RpcPiece, name).filter(|_| key(out, name)) {
                    out.put_bytes(value);
                }
            }
        }
        if let Some(name) = operation.filter(|_| key(out, keys::OPERATION)) {
            self.put_operation(out, name);
        }
        if survived && self.exceptions > 0 && key(out, keys::EXCEPTIONS) {
            let any = self.write_exceptions(out, "[");
            out.put(if any { "]" } else { "[]" });
        }
        if lost && key(out, keys::XRAY_LIMITS) {
            let Truncation { cut, dropped, moved, replaced } = self.losses();
            out.put("{\"cut\":");
            out.put_int(cut);
            out.put(",\"dropped\":");
            out.put_int(dropped);
            out.put(",\"moved\":");
            out.put_int(moved);
            if replaced > 0 {
                out.put(",\"replaced\":");
                out.put_int(replaced);
            }
            out.put("}");
        }
        out.put("}");
        if self.may_have(Part::MetadataIn) {
            self.write_namespaces(out);
        }
        if sql
            && !self
                .live(Part::MetadataIn)
                .any(|entry| self.bytes_of(&entry).starts_with(keys::SQL.json().as_bytes()))
        {
            self.write_object(out, Part::Sql, ",\"sql\":{", "}");
        }
        out.put("}");
    }

    /// Each namespace once, with all of its members. Quadratic in the number of namespaces, of which there
    /// are one or two.
    fn write_namespaces(&self, out: &mut Buffer) {
        let split = |entry: Entry| {
            let bytes = self.bytes_of(&entry);
            bytes.split_at(string_token_len(bytes) + 1)
        };
        let entries = || self.live(Part::MetadataIn).map(split);
        for (i, (namespace, _)) in entries().enumerate() {
            if entries().take(i).any(|(earlier, _)| earlier == namespace) {
                continue;
            }
            out.put(",");
            out.put_bytes(namespace);
            let mut separator = "{";
            for (_, member) in entries().filter(|(other, _)| *other == namespace) {
                out.put(separator);
                out.put_bytes(member);
                separator = ",";
            }
            out.put("}");
        }
    }

    #[inline]
    pub(super) fn write_object(&self, out: &mut Buffer, part: Part, open: &str, close: &str) {
        if !self.may_have(part) {
            return;
        }
        let start = out.len();
        out.put(open);
        if self.write_members(out, part, true) {
            out.put(close);
        } else {
            out.truncate(start);
        }
    }

    /// Appends the members of one part. Returns whether there were any.
    #[inline]
    pub(super) fn write_members(&self, out: &mut Buffer, part: Part, first: bool) -> bool {
        let mut first = first;
        let mut entries =
            self.live(part).map(|entry| (entry.start as usize, (entry.start + entry.len) as usize));
        let Some((mut start, mut end)) = entries.next() else { return false };
        let mut write = |start: usize, end: usize| {
            if !std::mem::take(&mut first) {
                out.put(",");
            }
            out.put_bytes(&self.text.as_bytes()[start..end]);
        };
        for (next_start, next_end) in entries {
            // With nothing but the comma between them, they are copied as one.
            if next_start != end + 1 {
                write(start, end);
                start = next_start;
            }
            end = next_end;
        }
        write(start, end);
        true
    }
}
