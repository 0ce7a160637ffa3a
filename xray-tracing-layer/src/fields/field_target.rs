//! The destination of a span's fields: its body, and the few values that control the span instead.
//!
//! Each method writes one kind of value in the form that X-Ray expects. Methods for databases are in
//! [`database`](crate::fields::database).

use xray_sdk::TraceHeader;
use xray_sdk::document::internal::{Body, Buffer, Key, Piece, PlainKey, Section, Written, keys};
use xray_sdk::document::{MAX_NAME, MAX_STRING, MAX_VALUE, Namespace};

use crate::fields::grpc;
use crate::fields::sanitize::host::{HostPort, first_address, ip_address, is_plain_name, is_socket_path};
use crate::fields::sanitize::statement::Language;
use crate::fields::sanitize::url::{SafeUrl, host_of_plain_url, is_plain_url_path, is_scheme};
use crate::fields::sanitize::written::{put_clean, put_cut_name};
use crate::fields::value::Value;
use crate::settings::redaction::Rules;

/// A span's body, and the values among its fields that control the span.
pub(crate) struct FieldTarget<'a> {
    pub(super) rules: &'a Rules,
    pub(super) body: &'a mut Body,
    /// Set if the body is a segment's: some members exist only there.
    pub(super) is_segment: bool,
    /// Set if no member of the request, or piece of its URL, is put twice, so that none has to be looked for.
    pub(super) distinct: bool,
    /// Set if a subsegment's URL is there as a whole, so that no parts of one are needed.
    has_url: bool,
    /// Set if a field is a whole statement, so that no summary of one is needed.
    pub(crate) has_whole_statement: bool,
    /// Set if a statement was put.
    pub(super) has_put_statement: bool,
    /// The language of statements, if a field or the span's body says so.
    pub(crate) language: Option<Language>,
    /// The trace header among the fields.
    pub(crate) header: Option<HeaderField>,
    /// The user's decision on whether the span is recorded, if a field has one.
    pub(crate) forced: Option<bool>,
    /// The end user, named on a subsegment. X-Ray has that member only on segments.
    pub(crate) user: Option<String>,
}

/// A trace header from a field.
pub(crate) struct HeaderField {
    /// The header; `None` if it is invalid.
    pub(crate) header: Option<TraceHeader>,
    pub(crate) platform_root: bool,
}

impl<'a> FieldTarget<'a> {
    pub(crate) fn new(rules: &'a Rules, body: &'a mut Body, is_segment: bool) -> Self {
        Self {
            rules,
            body,
            is_segment,
            distinct: false,
            has_url: false,
            has_whole_statement: false,
            has_put_statement: false,
            language: None,
            header: None,
            forced: None,
            user: None,
        }
    }

    /// Makes the span a call to another service, unless its namespace is set.
    pub(crate) fn set_remote(&mut self) {
        if self.body.namespace().is_none() {
            self.body.set_namespace(Namespace::Remote);
        }
    }

    pub(super) fn put_number(&mut self, section: Section, rank: u8, key: Key<'_>, value: Value<'_>) {
        self.body.put(section, rank, key, |out| match value.as_u64() {
            Some(number) => {
                out.put_int(number);
                Written::Whole
            }
            None => Written::Nothing,
        });
    }

    pub(super) fn put_name(&mut self, rank: u8, key: Key<'_>, value: Value<'_>) {
        value.with_text(|text| {
            // Most names begin with a letter.
            if text.starts_with(|first: char| first.is_ascii_graphic()) || !text.trim().is_empty() {
                self.body.put_piece(Piece::Name, rank, key, |out| put_cut_name(out, text));
            }
        });
    }

    /// Puts a name, or a part of one, that is already sanitized.
    pub(crate) fn put_ready_name(&mut self, rank: u8, key: Key<'_>, name: &str) {
        self.body.put_piece(Piece::Name, rank, key, |out| {
            out.put(name);
            Written::Whole
        });
    }

    /// Puts OpenTelemetry's name. A segment is named after its service, so there the name is the operation:
    /// unlimited characters.
    pub(super) fn put_otel_name(&mut self, value: Value<'_>) {
        const KEY: Key<'_> = keys::OTEL;
        if self.is_segment {
            self.body.put_piece(Piece::Name, 0, KEY, |out| match value {
                Value::Str(text) => put_escaped(out, text),
                _ => Written::cut_if(out.put_escaped_within(value, MAX_STRING)),
            });
        } else {
            self.put_name(0, KEY, value);
        }
    }

    pub(super) fn put_end_user(&mut self, rank: u8, user: &str) {
        if user.trim_ascii().is_empty() {
            return;
        }
        if self.is_segment {
            self.body.put_str(Section::Top, rank, keys::USER, user);
        } else {
            self.user = Some(user.to_owned());
        }
    }

    /// Puts a URL without its user and, unless the builder keeps it, without its query.
    pub(super) fn put_url(&mut self, rank: u8, url: &str) {
        let url = url.trim_ascii();
        if url.is_empty() {
            return;
        }
        let Some(safe) = SafeUrl::parse(url, self.rules.keep_query) else {
            return self.leave_out(Section::HttpRequest, keys::URL);
        };
        self.put_request(rank, keys::URL, &safe.to_text());
        if let Some(host) = safe.host().filter(|_| !self.is_segment) {
            self.put_name(rank + OF_URL, keys::HOST, Value::Str(host));
        }
        self.note_url();
    }

    /// Puts a URL that is safe as it is, under a key that no other field has. Puts nothing and returns `false` if it is
    /// any other.
    #[inline]
    pub(in crate::fields) fn put_plain_url(&mut self, rank: u8, key: &PlainKey, url: &str) -> bool {
        let host = if url.len() <= MAX_STRING { host_of_plain_url(url) } else { None };
        // All characters of a plain host may stand in a name.
        let Some(host) = host.filter(|host| host.len() <= MAX_NAME) else { return false };
        self.body.append_unescaped(key, url);
        if !self.is_segment {
            self.put_ready_name(rank + OF_URL, keys::HOST, host);
        }
        self.note_url();
        true
    }

    /// Notes that there is a whole URL.
    fn note_url(&mut self) {
        // A sampler looks at the parts of a segment's, and a hook at those of any.
        self.has_url = self.distinct && !self.is_segment && !self.rules.keep_url_parts;
    }

    /// Puts a member of the request.
    #[inline]
    pub(super) fn put_request(&mut self, rank: u8, key: Key<'_>, text: &str) {
        self.put_in_request(rank, key, |out| Written::cut_if(out.put_string_within(text, MAX_STRING)));
    }

    /// Puts what `put` writes as a piece of the request's URL.
    fn put_in_url(&mut self, rank: u8, key: Key<'_>, put: impl FnOnce(&mut Buffer) -> Written) {
        if self.distinct {
            self.body.append_piece(Piece::Url, rank, key, put);
        } else {
            self.body.put_piece(Piece::Url, rank, key, put);
        }
    }

    /// Puts what `put` writes as a member of the request.
    fn put_in_request(&mut self, rank: u8, key: Key<'_>, put: impl FnOnce(&mut Buffer) -> Written) {
        if self.distinct {
            self.body.append(Section::HttpRequest, rank, key, put);
        } else {
            self.body.put(Section::HttpRequest, rank, key, put);
        }
    }

    /// Puts the server's host: a name or an address with or without a port, or the path of a socket.
    pub(super) fn put_host(&mut self, rank: u8, text: &str) {
        let text = text.trim_ascii();
        let plain = is_plain_name(text).then_some(text);
        let name = match plain.or_else(|| HostPort::parse(text).map(|found| found.host)) {
            Some(host) => host,
            None if text.is_empty() => return,
            None if ip_address(text).is_some() || is_socket_path(text) => text,
            None => return self.leave_out_piece(keys::HOST),
        };
        self.put_url_part(rank, keys::HOST, text);
        if !self.is_segment {
            self.put_name(rank, keys::HOST, Value::Str(name));
        }
    }

    /// Counts a value whose form is not understood, and puts nothing.
    pub(super) fn leave_out(&mut self, section: Section, key: Key<'_>) {
        self.body.put(section, u8::MAX, key, |_| Written::Nothing);
    }

    /// Counts a part of a URL whose form is not understood, and puts nothing.
    fn leave_out_piece(&mut self, key: Key<'_>) {
        self.body.put_piece(Piece::Url, u8::MAX, key, |_| Written::Nothing);
    }

    /// Puts a part of a remote procedure's name. An empty one counts as absent.
    pub(super) fn put_rpc(&mut self, key: Key<'_>, text: &str) {
        if !text.trim_ascii().is_empty() {
            let put = |out: &mut Buffer| Written::cut_if(out.put_string_within(text, MAX_STRING));
            self.body.put_piece(Piece::Rpc, 0, key, put);
        }
    }

    /// Puts the scheme or the port of a URL. A number that is a port needs no look at its digits.
    pub(super) fn put_url_part_of(&mut self, rank: u8, key: Key<'_>, value: Value<'_>) {
        match value {
            _ if self.has_url => {}
            Value::U64(number) if key == keys::PORT && number <= u16::MAX.into() => {
                self.put_in_url(rank, key, |out| {
                    out.put_int(number);
                    Written::Whole
                });
            }
            _ => value.with_text(|text| {
                let is_one = if key == keys::PORT { text.parse::<u16>().is_ok() } else { is_scheme(text) };
                match text.is_empty() || is_one {
                    true => self.put_url_part(rank, key, text),
                    false => self.leave_out_piece(key),
                }
            }),
        }
    }

    fn put_url_part(&mut self, rank: u8, key: Key<'_>, text: &str) {
        if !text.is_empty() && !self.has_url {
            self.put_in_url(rank, key, |out| put_escaped(out, text));
        }
    }

    pub(super) fn put_url_path(&mut self, rank: u8, path: &str) {
        if path.len() <= MAX_STRING && is_plain_url_path(path) {
            return self.put_in_url(rank, keys::PATH, |out| {
                out.put(path);
                Written::Whole
            });
        }
        match SafeUrl::parse(path, self.rules.keep_query).map(SafeUrl::split) {
            Some((_, path)) => self.put_url_part(rank, keys::PATH, path),
            None => self.leave_out_piece(keys::PATH),
        }
    }

    pub(super) fn put_url_query(&mut self, query: &str) {
        if self.rules.keep_query {
            self.put_url_part(0, keys::QUERY, query);
        }
    }

    /// Puts the client's IP address: the first of a list, in its canonical form, without a port.
    ///
    /// On a subsegment it is metadata, because receivers take a subsegment with a client address for a server's.
    pub(super) fn put_client_ip(&mut self, rank: u8, text: &str) {
        match first_address(text) {
            Some(address) if self.is_segment => self.put_request(rank, keys::CLIENT_IP, &address),
            Some(address) => self.body.put_str(Section::Metadata, rank, keys::CLIENT_ADDRESS, &address),
            None if text.trim_ascii().is_empty() => {}
            None => self.leave_out(Section::HttpRequest, keys::CLIENT_IP),
        }
    }

    /// Marks the client's address as one that a proxy reported.
    pub(super) fn put_forwarded(&mut self) {
        self.put_in_request(0, keys::X_FORWARDED_FOR, |out| {
            out.put_bool(true);
            Written::Whole
        });
    }

    pub(super) fn put_grpc_status(&mut self, value: Value<'_>) {
        match value.as_u64() {
            Some(code) => self.set_blame(grpc::blame_of(code)),
            None => value.with_text(|text| match grpc::blame_of_name(text) {
                Some(blame) => self.set_blame(blame),
                None => self.not_understood(text),
            }),
        }
    }

    /// Puts the status of any RPC, which only its text names.
    pub(super) fn put_rpc_status(&mut self, status: &str) {
        if let Some(blame) = grpc::blame_of_name(status) {
            self.set_blame(blame);
        }
        self.body.put_str(Section::Metadata, 0, keys::RPC_STATUS, status);
    }

    fn set_blame(&mut self, blame: grpc::Blame) {
        match blame {
            grpc::Blame::None => {}
            grpc::Blame::Throttle => self.body.set_throttle(),
            grpc::Blame::Client => self.body.set_error(),
            grpc::Blame::Server => self.body.set_fault(),
        }
    }

    /// Counts a value that is left out because it is none of those that its field may have. An empty one counts as absent.
    pub(super) fn not_understood(&mut self, text: &str) {
        if !text.trim_ascii().is_empty() {
            self.body.count_left_out();
        }
    }

    pub(super) fn put_log_groups(&mut self, groups: &str) {
        self.body.put(Section::Aws, 0, keys::CLOUDWATCH_LOGS, |out| {
            let (mut cut, mut count) = (false, 0);
            let mut separator = "[";
            for group in groups.split('&').filter(|group| !group.is_empty()).take(MAX_LOG_GROUPS + 1) {
                count += 1;
                if count > MAX_LOG_GROUPS {
                    cut = true;
                    break;
                }
                out.put(std::mem::replace(&mut separator, ","));
                out.put("{\"log_group\":");
                cut |= out.put_string_within(group, MAX_STRING);
                out.put("}");
            }
            out.put(if separator == "[" { "[]" } else { "]" });
            Written::cut_if(cut)
        });
    }

    pub(super) fn put_error(&mut self, value: Value<'_>) {
        match value {
            Value::Bool(false) => self.body.set_succeeded(),
            Value::Bool(true) => self.body.set_failed(),
            _ => value.with_text(|text| self.put_error_part(2, keys::MESSAGE, text)),
        }
    }

    pub(super) fn put_error_part(&mut self, rank: u8, key: Key<'_>, text: &str) {
        if !text.is_empty() {
            self.body.set_failed();
            let keep_query = self.rules.keep_query;
            self.body.put_piece(Piece::Exception, rank, key, |out| {
                Written::cut_if(put_clean(out, format_args!("{text}"), MAX_VALUE, keep_query))
            });
        }
    }
}

/// Appends a string, escaped and without quotes, of at most [`MAX_STRING`] encoded bytes.
fn put_escaped(out: &mut Buffer, text: &str) -> Written {
    let start = out.len();
    if text.len() <= MAX_STRING {
        out.put_escaped(text);
        if out.len() - start <= MAX_STRING {
            return Written::Whole;
        }
        out.truncate(start);
    }
    Written::cut_if(out.put_escaped_within(text, MAX_STRING))
}

/// Added to the rank of a URL to get that of its host as a client's name, behind fields that name the host by itself.
const OF_URL: u8 = 8;

/// The maximum of log groups in a document. A process has a handful.
const MAX_LOG_GROUPS: usize = 20;
