//! The facts of a trace, from all its documents.
//!
//! A pure function: equal documents in equal order give equal facts. The rules are those of the service where they
//! are known (developer guide, "segment documents" and "getting data"); where nothing is public, the comment says
//! "chosen, not known".

use std::collections::BTreeSet;

use xray_sdk::TraceId;

use super::causes;
use super::document::{Parsed, Span, id_bits};
use super::origin;
use super::tree::{Item, Tree};
use crate::model::{
    Annotation, Call, Compiled, Flags, Http, Link, Place, PlaceKind, Segment, Time, Trace, User, limits,
};

/// Compiles a trace from its documents, in order of arrival. One without members is skipped.
///
/// Returns `None` if no document is left.
#[must_use]
pub fn compile<'d>(id: TraceId, documents: impl IntoIterator<Item = &'d Parsed<'d>>) -> Option<Compiled<'d>> {
    let tree = Tree::assemble(documents.into_iter().map(|Parsed(span)| span));
    (!tree.items.is_empty()).then(|| Compilation::new(id, &tree).run())
}

/// The id of the segment that is inferred from a subsegment: looks random, and is the same each time.
pub(super) fn inferred_id(trace: TraceId, subsegment: u64) -> u64 {
    let mut mixed = (u128::from(trace) as u64) ^ subsegment.rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15;
    for factor in [0xbf58_476d_1ce4_e5b9_u64, 0x94d0_49bb_1331_11eb] {
        mixed = (mixed ^ (mixed >> 29)).wrapping_mul(factor);
    }
    mixed ^ (mixed >> 32)
}

struct Compilation<'t, 'd> {
    id: TraceId,
    tree: &'t Tree<'d>,
    tops: Vec<usize>,
    /// Position among the segments of each top; that of another item means nothing.
    segment_of: Vec<usize>,
    segments: Vec<Segment<'d>>,
    calls: Vec<Call<'d>>,
}

impl<'t, 'd> Compilation<'t, 'd> {
    fn new(id: TraceId, tree: &'t Tree<'d>) -> Self {
        let tops = tree.tops();
        let mut segment_of = vec![0; tree.items.len()];
        tops.iter().enumerate().for_each(|(position, &top)| segment_of[top] = position);
        let room = tree.items.len();
        Self {
            id,
            tree,
            tops,
            segment_of,
            segments: Vec::with_capacity(room),
            calls: Vec::with_capacity(room),
        }
    }

    /// Position of the segment that an item is part of.
    fn segment_with(&self, item: &Item<'_>) -> usize {
        self.segment_of[item.owner]
    }

    fn run(mut self) -> Compiled<'d> {
        let root = self.root();
        for position in 0..self.tops.len() {
            let top = self.tops[position];
            self.segments.push(self.segment(top, Some(top) == root));
        }
        for position in 0..self.tops.len() {
            self.call_of(position);
        }
        self.infer();
        let (annotations, users, places, links) = self.collect();
        let causes = root.map(|root| causes::find(self.tree, root)).unwrap_or_default();
        Compiled {
            trace: self.trace(root),
            segments: self.segments,
            calls: self.calls,
            annotations,
            users,
            places,
            links,
            causes,
        }
    }

    /// The top that stands for the whole trace: the first segment without a parent. If there is none, the first
    /// segment whose caller is not here, then whatever is first. (The last two are chosen, not known.)
    fn root(&self) -> Option<usize> {
        let items = &self.tree.items;
        let first =
            |test: &dyn Fn(&Item<'_>) -> bool| self.tops.iter().copied().find(|&top| test(&items[top]));
        first(&|item| !item.is_subsegment && item.parent_id.is_none())
            .or_else(|| first(&|item| !item.is_subsegment && item.caller.is_none()))
            .or_else(|| first(&|_| true))
    }

    fn trace(&self, root: Option<usize>) -> Trace {
        let items = &self.tree.items;
        let start = items.iter().map(Item::start).min_by(f64::total_cmp).unwrap_or_default();
        let end = items.iter().map(|item| item.end().unwrap_or_else(|| item.start())).max_by(f64::total_cmp);
        let root = root.map(|root| self.segment_of[root]);
        let of_root = root.map(|root| &self.segments[root]);
        let mut flags = of_root.map(|segment| segment.flags).unwrap_or_default();
        flags.partial = self.segments.iter().any(|segment| segment.flags.partial);
        flags.inferred = self.segments.iter().any(|segment| segment.flags.inferred);
        Trace {
            id: self.id,
            start: Time::from_seconds(start),
            end: Time::from_seconds(end.unwrap_or(start)),
            response: of_root.and_then(|segment| Some(segment.end? - segment.start)),
            flags,
            throttled: self.segments.iter().any(|segment| segment.flags.throttle),
            root,
            spans: items.len(),
        }
    }

    fn segment(&self, top: usize, is_root: bool) -> Segment<'d> {
        let item = &self.tree.items[top];
        let last = self.tree.contained(top).into_iter().filter_map(|at| self.tree.items[at].end());
        let end = item.end();
        let last = end.map(|end| last.fold(end, f64::max));
        let start = Time::from_seconds(item.start());
        Segment {
            node: origin::node_of(item.span),
            id: item.id,
            start,
            end: end.map(Time::from_seconds),
            duration: last.map(|last| Time::from_seconds(last) - start),
            flags: flags_of(item.span),
            root: is_root || (!item.is_subsegment && item.parent_id.is_none()),
            http: http_of(item.span),
        }
    }

    /// The call that led to a segment. One without a known caller was called by a client; for one that names a
    /// parent that is not here, that is chosen, not known. A subsegment that stands alone has no caller.
    fn call_of(&mut self, position: usize) {
        let item = &self.tree.items[self.tops[position]];
        if item.is_subsegment {
            return;
        }
        let segment = &self.segments[position];
        let caller = item.caller.map(|caller| &self.tree.items[caller]);
        // A segment whose parent is a segment, as Lambda's are: no subsegment stands for the call.
        let seen = caller.filter(|caller| caller.is_subsegment).unwrap_or(item);
        let alias = origin::canonical(seen.span);
        self.calls.push(Call {
            caller: caller.map(|caller| self.segment_with(caller)),
            callee: position,
            span: seen.id,
            alias: Some(alias).filter(|alias| *alias != segment.node.name),
            start: Time::from_seconds(seen.start()),
            end: seen.end().map(Time::from_seconds),
            flags: flags_of(seen.span),
        });
    }

    fn infer(&mut self) {
        for at in 0..self.tree.items.len() {
            if !self.tree.is_inferred_from(at) {
                continue;
            }
            let item = &self.tree.items[at];
            let (start, end) = (Time::from_seconds(item.start()), item.end().map(Time::from_seconds));
            let flags = Flags { inferred: true, ..flags_of(item.span) };
            self.calls.push(Call {
                caller: Some(self.segment_with(item)),
                callee: self.segments.len(),
                span: item.id,
                alias: None,
                start,
                end,
                flags,
            });
            self.segments.push(Segment {
                node: origin::node(item.span),
                id: inferred_id(self.id, item.id),
                start,
                end,
                duration: end.map(|end| end - start),
                flags,
                root: false,
                http: http_of(item.span),
            });
        }
    }

    /// Annotations, users, places and links, in order of the segments.
    fn collect(&self) -> (Vec<Annotation<'d>>, Vec<User<'d>>, Vec<Place<'d>>, Vec<Link>) {
        let (mut annotations, mut users, mut places, mut links) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut keys = BTreeSet::new();
        for (segment, &top) in self.tops.iter().enumerate() {
            let before = links.len();
            for at in self.tree.contained(top) {
                let item = &self.tree.items[at];
                let span = item.span;
                for (key, value) in &span.annotations.0 {
                    let key: &'d str = key;
                    let indexed = keys.contains(key) || keys.len() < limits::ANNOTATION_KEYS;
                    if indexed && (1..=ANNOTATION_KEY_CHARACTERS).contains(&key.chars().count()) {
                        keys.insert(key);
                        annotations.push(Annotation { key, value, segment });
                    }
                }
                users.extend(span.user.iter().map(|name| User { name, segment }));
                places.extend(places_of(span).map(|(kind, value)| Place { kind, value, segment }));
                for link in &span.links {
                    let trace = link.trace_id.as_deref().and_then(|id| id.parse().ok());
                    let other = link.id.as_deref().and_then(id_bits);
                    let room = links.len() < limits::LINKS_PER_TRACE
                        && links.len() - before < limits::LINKS_PER_SEGMENT;
                    links.extend(trace.zip(other).filter(|_| room).map(|(trace, other)| Link {
                        segment,
                        span: item.id,
                        trace,
                        other,
                    }));
                }
            }
        }
        (annotations, users, places, links)
    }
}

/// A 429 is a 4xx, so `throttle` alone is an error as well.
pub(super) fn flags_of(span: &Span<'_>) -> Flags {
    let error = span.error || span.throttle;
    let partial = span.is_open();
    let ok = !partial && !error && !span.fault;
    Flags { ok, error, throttle: span.throttle, fault: span.fault, partial, inferred: false }
}

fn http_of<'d>(span: &'d Span<'_>) -> Http<'d> {
    let Some(http) = &span.http else { return Http::default() };
    let request = http.request.as_ref();
    let status = http.response.as_ref().and_then(|response| response.status);
    Http {
        status: status
            .filter(|status| status.fract() == 0.0 && status.abs() < 1e9)
            .map(|status| status as i64),
        method: request.and_then(|request| request.method.as_deref()),
        url: request.and_then(|request| request.url.as_deref()),
        client_ip: request.and_then(|request| request.client_ip.as_deref()),
        agent: request.and_then(|request| request.user_agent.as_deref()),
    }
}

fn places_of<'d>(span: &'d Span<'_>) -> impl Iterator<Item = (PlaceKind, &'d str)> {
    let aws = span.aws.as_ref();
    let ec2 = aws.and_then(|aws| aws.ec2.as_ref());
    let zone = ec2
        .or_else(|| aws.and_then(|aws| aws.ecs.as_ref()))
        .and_then(|place| place.availability_zone.as_deref());
    let instance = ec2.and_then(|ec2| ec2.instance_id.as_deref());
    let resource = span.resource_arn.as_deref();
    let places = [(PlaceKind::Zone, zone), (PlaceKind::Instance, instance), (PlaceKind::Resource, resource)];
    places.into_iter().filter_map(|(kind, value)| Some((kind, value?)))
}

/// Characters of an annotation's key (X-Ray's JSON schema 1.0.0).
const ANNOTATION_KEY_CHARACTERS: usize = 500;
