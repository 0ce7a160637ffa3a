//! Root causes: from the root segment down to what is at fault, or to what takes the time.
//!
//! A path goes from a segment into its subsegments, and from a subsegment that calls another service into that
//! service's segment, real or inferred. Each service on the way lists its segment first, then the subsegments.
//! Faults and errors have one path per deepest span that has the flag, at most [`PATHS`]; response times one path,
//! or none. (The rules for several paths, for ties and for when there is none are chosen, not known.)

use super::document::Cause as CauseOf;
use super::origin;
use super::tree::{Item, Tree};
use crate::model::{Cause, CauseEntity, CauseException, CauseKind, CauseService, NodeRef, limits};

/// Paths of faults, and of errors. Chosen, not known.
const PATHS: usize = 5;

/// Steps of a path. Chosen, not known.
const STEPS: usize = 100;

/// A step of a path: a span that was received, or the segment that is inferred from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Real(usize),
    Inferred(usize),
}

/// The root causes of a trace.
pub(super) fn find<'t>(tree: &Tree<'t>, root: usize) -> Vec<Cause<'t>> {
    let span = tree.items[root].span;
    let mut causes = Vec::new();
    if span.fault {
        causes.extend(by_flag(tree, root, CauseKind::Fault, |item| item.span.fault));
    }
    if span.error || span.throttle {
        causes.extend(by_flag(tree, root, CauseKind::Error, |item| item.span.error || item.span.throttle));
    }
    causes.extend(by_time(tree, root));
    causes
}

/// The ways down that keep the flag, until nothing below has it.
fn by_flag<'t>(tree: &Tree<'t>, root: usize, kind: CauseKind, flag: fn(&Item<'_>) -> bool) -> Vec<Cause<'t>> {
    let mut causes: Vec<Cause<'t>> = Vec::new();
    let mut pending = vec![vec![Step::Real(root)]];
    while let Some(path) = pending.pop() {
        let last = path[path.len() - 1];
        let below: Vec<Step> = below(tree, last)
            .into_iter()
            .filter(|&step| !path.contains(&step) && flag(item(tree, step)))
            .collect();
        if below.is_empty() || path.len() == STEPS {
            let cause = describe(tree, &path, kind, None);
            if !causes.contains(&cause) {
                causes.push(cause);
            }
            if causes.len() == PATHS {
                break;
            }
        }
        pending.extend(below.into_iter().rev().take(PATHS).map(|step| [&path[..], &[step]].concat()));
    }
    causes
}

/// The way down the longest span each time, while that takes a good share of the root's time.
fn by_time<'t>(tree: &Tree<'t>, root: usize) -> Option<Cause<'t>> {
    let time = |step: Step| item(tree, step).end().map(|end| end - item(tree, step).start());
    let whole = time(Step::Real(root)).filter(|&whole| whole > 0.0)?;
    let mut path = vec![Step::Real(root)];
    while path.len() < STEPS {
        let below = below(tree, path[path.len() - 1]).into_iter().filter(|step| !path.contains(step));
        let longest = below.filter_map(|step| Some((step, time(step)?))).max_by(|a, b| a.1.total_cmp(&b.1));
        match longest {
            Some((step, time)) if time / whole >= limits::ROOT_CAUSE_COVERAGE => path.push(step),
            _ => break,
        }
    }
    (path.len() > 1).then(|| describe(tree, &path, CauseKind::ResponseTime, Some(whole)))
}

fn below(tree: &Tree<'_>, step: Step) -> Vec<Step> {
    let Step::Real(at) = step else { return Vec::new() };
    let item = &tree.items[at];
    let mut below: Vec<Step> = item.children.iter().chain(&item.callees).map(|&at| Step::Real(at)).collect();
    if tree.is_inferred_from(at) {
        below.push(Step::Inferred(at));
    }
    below
}

fn item<'r, 't>(tree: &'r Tree<'t>, step: Step) -> &'r Item<'t> {
    let (Step::Real(at) | Step::Inferred(at)) = step;
    &tree.items[at]
}

fn describe<'t>(tree: &Tree<'t>, path: &[Step], kind: CauseKind, whole: Option<f64>) -> Cause<'t> {
    let mut services: Vec<CauseService<'t>> = Vec::new();
    for (position, &step) in path.iter().enumerate() {
        let item = item(tree, step);
        let inferred = matches!(step, Step::Inferred(_));
        let node = if inferred { origin::node(item.span) } else { origin::node_of(item.span) };
        let coverage = whole.map(|whole| {
            let share = item.end().map_or(0.0, |end| (end - item.start()) / whole);
            (share.clamp(0.0, 1.0) * 1_000.0).round() / 1_000.0
        });
        let last = position + 1 == path.len();
        let entity = CauseEntity {
            name: node.name,
            remote: !inferred && item.is_subsegment && item.span.is_remote(),
            coverage,
            exceptions: if last && whole.is_none() { exceptions(tree, item) } else { Vec::new() },
        };
        let begins = inferred || !item.is_subsegment || services.is_empty();
        match services.last_mut().filter(|_| !begins) {
            Some(service) => service.entities.push(entity),
            None => services.push(service(node, inferred, position == 0, entity)),
        }
    }
    Cause { kind, services }
}

fn service<'t>(node: NodeRef<'t>, inferred: bool, root: bool, entity: CauseEntity<'t>) -> CauseService<'t> {
    CauseService {
        name: node.name,
        kind: Some(node.kind).filter(|kind| !kind.is_empty()),
        account: Some(node.account).filter(|account| !account.is_empty()),
        inferred,
        root,
        entities: vec![entity],
    }
}

fn exceptions<'t>(tree: &Tree<'t>, item: &Item<'t>) -> Vec<CauseException<'t>> {
    let list: &'t [_] = match &item.span.cause {
        CauseOf::Here(list) => list,
        CauseOf::Elsewhere(id) => {
            let holds = |other: &&Item<'_>| match &other.span.cause {
                CauseOf::Here(list) => list.iter().any(|exception| exception.id.as_ref() == Some(id)),
                _ => false,
            };
            match tree.items.iter().find(holds).map(|other| &other.span.cause) {
                Some(CauseOf::Here(list)) => list,
                _ => return Vec::new(),
            }
        }
        CauseOf::None => return Vec::new(),
    };
    list.iter()
        .map(|exception| CauseException {
            name: exception.name.as_deref().unwrap_or_default(),
            message: exception.message.as_deref().unwrap_or_default(),
        })
        .collect()
}
