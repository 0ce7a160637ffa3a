//! The decision about a new trace: the request to the sampler, read from the body of the first span, and the role that
//! follows from the answer.
//!
//! Nothing is copied. Attributes are looked up only if a rule asks for one.

use std::borrow::Cow;

use xray_sdk::document::internal::{Body, Key, Piece, Section, keys};
use xray_sdk::sampling::{Attributes, Sampler, SamplingRequest, SamplingResult};
use xray_sdk::{SegmentId, TraceHeader, TraceId};

use crate::fields::sanitize::url::SafeUrl;
use crate::fields::scratch::with_buffer;
use crate::lifecycle::core::Core;
use crate::state::record::{Role, SpanRecord};

impl Core {
    /// Makes a root a segment, in the header's trace or in a new one. Without a decision, the sampler
    /// decides.
    pub(crate) fn join(&self, record: &mut SpanRecord, header: Option<&TraceHeader>, sampled: Option<bool>) {
        record.context.trace_id = header.map_or(TraceId::ZERO, TraceHeader::root);
        record.parent_id = header.and_then(TraceHeader::parent);
        record.context.extras = header.and_then(TraceHeader::shared_extras);
        record.verdict = None;
        match sampled {
            Some(is_sampled) => {
                let role = if is_sampled { Role::Segment } else { Role::Unsampled };
                self.take_role(record, role, header.is_some());
            }
            None => {
                let looks = self.hooks.sampler.looks_at_request();
                self.let_sampler_decide(record, header.is_some(), looks);
            }
        }
    }

    /// Asks the sampler about a new trace. `looks` says whether the sampler looks at the request.
    #[inline(always)]
    pub(crate) fn let_sampler_decide(&self, record: &mut SpanRecord, has_header: bool, looks: bool) {
        let verdict = self.sample(record, looks);
        let role = if verdict.is_sampled() {
            Role::Segment
        } else if verdict.is_left_open() {
            Role::Undecided { has_trace: true }
        } else {
            Role::Unsampled
        };
        // A new root has none, so there is nothing to drop.
        debug_assert!(record.verdict.is_none());
        std::mem::forget(record.verdict.replace(verdict));
        self.take_role(record, role, has_header);
    }

    #[inline]
    fn take_role(&self, record: &mut SpanRecord, role: Role, has_header: bool) {
        record.context.role = role;
        match role {
            Role::Segment => record.draw_trace_id(),
            Role::Unsampled if self.config.zero_ids && !has_header => {
                record.segment_id = SegmentId::from(0);
            }
            _ => {}
        }
    }

    #[inline]
    fn sample(&self, record: &SpanRecord, looks: bool) -> SamplingResult {
        let began = ((record.context.offset + record.start) / MICROS) as u32;
        if !looks {
            return self
                .hooks
                .sampler
                .sample(&SamplingRequest::new(&self.config.service).with_epoch_seconds(began));
        }
        self.sample_request(record, began)
    }

    #[inline(never)]
    fn sample_request(&self, record: &SpanRecord, began: u32) -> SamplingResult {
        let body = &record.body;
        let url = body.text_of(Section::HttpRequest, keys::URL);
        let (url_host, url_path) = url.map_or((None, None), split_url);
        let host = body.piece(Piece::Url, keys::HOST).or(url_host);
        let path = body.piece(Piece::Url, keys::PATH).or(url_path);
        let method = body.text_of(Section::HttpRequest, keys::METHOD);
        let attributes = Fields { body };
        let mut request =
            SamplingRequest::new(&self.config.service).with_epoch_seconds(began).with_attributes(&attributes);
        if let Some(finding) = self.output.origin.finding() {
            request = finding.origin().map_or(request, |origin| request.with_service_type(origin));
            request = finding.resource_arn().map_or(request, |arn| request.with_resource_arn(arn));
        }
        request = host.map_or(request, |host| request.with_host(host));
        request = path.map_or(request, |path| request.with_path(path));
        request = method.map_or(request, |method| request.with_method(method));
        self.hooks.sampler.sample(&request)
    }
}

/// The attributes that rules may match: annotations, and fields without another meaning.
#[derive(Debug)]
struct Fields<'a> {
    body: &'a Body,
}

impl Attributes for Fields<'_> {
    fn attribute(&self, key: &str) -> Option<Cow<'_, str>> {
        with_buffer(|ready| {
            let annotation = self.body.text_of(Section::Annotation, Key::annotation(ready, key));
            annotation.or_else(|| {
                ready.clear();
                self.body.text_of(Section::Metadata, Key::escaped(ready, key))
            })
        })
        .map(Cow::Borrowed)
    }
}

fn split_url(url: &str) -> (Option<&str>, Option<&str>) {
    match SafeUrl::parse(url, true).map(SafeUrl::split) {
        Some((host @ Some(_), "")) => (host, Some("/")),
        Some((host, path)) => (host, Some(path)),
        None => (None, None),
    }
}

const MICROS: u64 = 1_000_000;
