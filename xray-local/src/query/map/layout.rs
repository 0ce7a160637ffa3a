//! Layout of a map: layers from callers to callees, and an order within each layer.
//!
//! A pure function of the graph, the same for the page and the terminal. Edges may form cycles, hubs and loops; what
//! closes a cycle is drawn backwards.

use std::collections::VecDeque;

use rust_sugiyama::configure::{Config, CrossingMinimization, RankingType};
use rust_sugiyama::from_vertices_and_edges;

use super::graph::Graph;

/// The place of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spot {
    /// Steps from the callers, from 0.
    pub layer: usize,
    /// Place within the layer, in units of the distance of two neighbours, from 0.
    pub across: f64,
}

/// The places of all nodes of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// One place for each node, in the order of the nodes.
    pub spots: Vec<Spot>,
    /// Count of layers.
    pub layers: usize,
    /// The greatest `across` and 1 more; 0 without nodes.
    pub breadth: f64,
}

/// Lays out a map.
#[must_use]
pub fn layout(graph: &Graph) -> Layout {
    let edges = graph.nodes.iter().enumerate();
    let edges: Vec<(usize, usize)> =
        edges.flat_map(|(source, node)| node.edges.iter().map(move |edge| (source, edge.target))).collect();
    lay_out(graph.nodes.len(), &edges)
}

/// Lays out nodes that are numbered from 0, and edges between their numbers. Edges of other numbers are ignored.
#[must_use]
pub fn lay_out(nodes: usize, edges: &[(usize, usize)]) -> Layout {
    let edges = acyclic(nodes, edges);
    let mut spots = vec![Spot::default(); nodes];
    let mut breadth = 0.0;
    for component in components(nodes, &edges) {
        breadth = place(&component, &edges, breadth, &mut spots);
    }
    let layers = spots.iter().map(|spot| spot.layer + 1).max().unwrap_or_default();
    Layout { spots, layers, breadth }
}

/// Each pair of nodes once, no loops, and no cycles: edges between nodes that reach each other lead away from the
/// callers of all, if need be turned around. Other edges keep their direction.
fn acyclic(nodes: usize, edges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut targets: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    let mut sources = targets.clone();
    for &(source, target) in edges {
        if source != target && source < nodes && target < nodes && !targets[source].contains(&target) {
            targets[source].push(target);
            sources[target].push(source);
        }
    }
    let (distances, rings) = (distances(&targets, &sources), rings(&targets, &sources));
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for (source, targets) in targets.iter().enumerate() {
        for &target in targets {
            let is_back = (distances[target], target) < (distances[source], source);
            let turned = rings[source] == rings[target] && is_back;
            kept.push(if turned { (target, source) } else { (source, target) });
        }
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// The fewest steps to each node from nodes without callers. Nodes that none of these reaches count from the first of
/// them.
fn distances(targets: &[Vec<usize>], sources: &[Vec<usize>]) -> Vec<usize> {
    let mut distances = vec![usize::MAX; targets.len()];
    let mut queue: VecDeque<usize> = (0..targets.len()).filter(|&node| sources[node].is_empty()).collect();
    queue.iter().for_each(|&node| distances[node] = 0);
    for start in 0..targets.len() {
        if queue.is_empty() && distances[start] == usize::MAX {
            distances[start] = 0;
            queue.push_back(start);
        }
        while let Some(node) = queue.pop_front() {
            for &target in &targets[node] {
                if distances[target] == usize::MAX {
                    distances[target] = distances[node] + 1;
                    queue.push_back(target);
                }
            }
        }
    }
    distances
}

/// A number for each node that it shares with the nodes that it reaches and that reach it (Kosaraju's algorithm).
fn rings(targets: &[Vec<usize>], sources: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; targets.len()];
    let mut finished = Vec::with_capacity(targets.len());
    for start in 0..targets.len() {
        // The path, and for each node on it the next edge to look at.
        let mut path = if std::mem::replace(&mut seen[start], true) { Vec::new() } else { vec![(start, 0)] };
        while let Some((node, next)) = path.last_mut() {
            match targets[*node].get(*next) {
                Some(&target) => {
                    *next += 1;
                    if !std::mem::replace(&mut seen[target], true) {
                        path.push((target, 0));
                    }
                }
                None => {
                    finished.push(*node);
                    path.pop();
                }
            }
        }
    }
    let mut rings = vec![usize::MAX; targets.len()];
    for start in finished.into_iter().rev() {
        let mut pending = vec![start];
        while let Some(node) = pending.pop() {
            if rings[node] == usize::MAX {
                rings[node] = start;
                pending.extend(sources[node].iter().filter(|&&source| rings[source] == usize::MAX));
            }
        }
    }
    rings
}

/// Sets of nodes that hang together, larger ones first.
fn components(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for &(source, target) in edges {
        neighbours[source].push(target);
        neighbours[target].push(source);
    }
    let mut seen = vec![false; nodes];
    let mut components = Vec::new();
    for start in 0..nodes {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut component = vec![start];
        let mut at = 0;
        while let Some(&node) = component.get(at) {
            at += 1;
            for &neighbour in &neighbours[node] {
                if !std::mem::replace(&mut seen[neighbour], true) {
                    component.push(neighbour);
                }
            }
        }
        component.sort_unstable();
        components.push(component);
    }
    components.sort_by_key(|component| std::cmp::Reverse(component.len()));
    components
}

/// Places a component beside what has been placed. Returns the breadth of everything.
fn place(component: &[usize], edges: &[(usize, usize)], offset: f64, spots: &mut [Spot]) -> f64 {
    // The library takes numbers from 0 on.
    let own = |node: usize| component.binary_search(&node).ok();
    let vertices: Vec<(u32, (f64, f64))> =
        (0..component.len()).map(|node| (node as u32, (0.0, 0.0))).collect();
    let within: Vec<(u32, u32)> = edges
        .iter()
        .filter_map(|&(source, target)| Some((own(source)? as u32, own(target)? as u32)))
        .collect();
    let mut placed: Vec<(usize, f64, f64)> = Vec::with_capacity(component.len());
    if within.is_empty() {
        placed.extend(component.iter().map(|&node| (node, 0.0, 0.0)));
    } else {
        for (vertices, _, _) in from_vertices_and_edges(&vertices, &within, &CONFIG) {
            let own = vertices.into_iter().filter_map(|(node, (x, y))| Some((*component.get(node)?, x, y)));
            placed.extend(own);
        }
    }
    let least = |pick: fn(&(usize, f64, f64)) -> f64| placed.iter().map(pick).fold(f64::INFINITY, f64::min);
    let (left, top) = (least(|spot| spot.1), least(|spot| spot.2));
    let mut breadth = offset;
    for (node, x, y) in placed {
        let spot = Spot { layer: (y - top).round().max(0.0) as usize, across: offset + (x - left) };
        breadth = f64::max(breadth, spot.across + 1.0);
        if let Some(place) = spots.get_mut(node) {
            *place = spot;
        }
    }
    breadth
}

/// Quick for large maps, which the defaults are not.
const CONFIG: Config = Config {
    minimum_length: 1,
    vertex_spacing: 1.0,
    dummy_vertices: true,
    ranking_type: RankingType::Up,
    c_minimization: CrossingMinimization::Median,
    transpose: false,
    dummy_size: 1.0,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::filter::tests::generate::Random;

    fn layers(layout: &Layout) -> Vec<usize> {
        layout.spots.iter().map(|spot| spot.layer).collect()
    }

    /// No two nodes share a place, and every place is within the bounds.
    fn check(nodes: usize, layout: &Layout) {
        assert_eq!(layout.spots.len(), nodes);
        let mut spots = layout.spots.clone();
        spots.sort_by(|a, b| a.layer.cmp(&b.layer).then(a.across.total_cmp(&b.across)));
        for pair in spots.windows(2) {
            assert!(pair[0].layer < pair[1].layer || pair[1].across - pair[0].across > 0.99, "{pair:?}");
        }
        for spot in spots {
            assert!(
                spot.layer < layout.layers
                    && spot.across >= 0.0
                    && spot.across + 1.0 <= layout.breadth + 1e-9
            );
        }
    }

    #[test]
    fn a_chain_is_a_row_of_layers() {
        let layout = lay_out(3, &[(0, 1), (1, 2)]);
        assert_eq!(layers(&layout), [0, 1, 2]);
        assert_eq!((layout.layers, layout.breadth), (3, 1.0));
        check(3, &layout);
    }

    #[test]
    fn callers_stand_before_what_they_call() {
        // A diamond: 0 calls 1, 2 and 3, which call 4.
        let layout = lay_out(5, &[(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)]);
        assert_eq!(layers(&layout), [0, 1, 1, 1, 2]);
        // The ends of the diamond stand in the middle.
        assert_eq!(layout.spots[0].across, layout.spots[4].across);
        assert_eq!(layout.spots[0].across, 1.0);
        check(5, &layout);
    }

    #[test]
    fn nodes_without_edges_and_separate_parts_stand_side_by_side() {
        let layout = lay_out(5, &[(3, 4)]);
        check(5, &layout);
        assert_eq!(layers(&layout), [0, 0, 0, 0, 1]);
        assert_eq!(layout.breadth, 4.0);
        assert_eq!(lay_out(0, &[]), Layout::default());
    }

    #[test]
    fn cycles_and_loops_end() {
        check(1, &lay_out(1, &[(0, 0)]));
        let two = lay_out(2, &[(0, 1), (1, 0), (0, 1)]);
        check(2, &two);
        assert_eq!(layers(&two), [0, 1]);
        // A client calls into a ring: what closes the ring is drawn backwards.
        let ring = lay_out(4, &[(3, 0), (0, 1), (1, 2), (2, 0)]);
        check(4, &ring);
        assert_eq!(layers(&ring), [1, 2, 3, 0]);
        // Everyone calls everyone.
        let all: Vec<_> = (0..12).flat_map(|a| (0..12).map(move |b| (a, b))).collect();
        check(12, &lay_out(12, &all));
    }

    #[test]
    fn hubs_have_room_on_both_sides() {
        let hub: Vec<_> =
            (1..=80).map(|caller| (caller, 0)).chain((81..=160).map(|callee| (0, callee))).collect();
        let layout = lay_out(161, &hub);
        check(161, &layout);
        assert_eq!(layout.layers, 3);
        assert_eq!(layout.spots[0].layer, 1);
        assert!(
            (layout.spots[0].across - 40.0).abs() <= 1.0,
            "the hub stands in the middle: {:?}",
            layout.spots[0]
        );
        assert!(layout.breadth < 90.0, "{}", layout.breadth);
    }

    #[test]
    fn any_map_is_laid_out_the_same_each_time() {
        let mut random = Random(3);
        for _ in 0..200 {
            let nodes = 1 + random.below(40);
            let edges: Vec<_> =
                (0..random.below(nodes * 3)).map(|_| (random.below(nodes), random.below(nodes))).collect();
            let layout = lay_out(nodes, &edges);
            check(nodes, &layout);
            assert_eq!(layout, lay_out(nodes, &edges));
            // Edges that close no cycle lead to later layers.
            for (source, target) in acyclic(nodes, &edges) {
                assert!(layout.spots[source].layer < layout.spots[target].layer);
            }
        }
    }

    #[test]
    fn a_detour_is_not_turned_around() {
        // 3 is reached by 0 directly and over 1 and 2, which it does not call.
        assert_eq!(layers(&lay_out(4, &[(0, 3), (0, 1), (1, 2), (2, 3)])), [0, 1, 2, 3]);
    }

    #[test]
    fn a_map_full_of_cycles_has_few_layers() {
        let mut random = Random(4);
        let edges: Vec<_> = (0..900).map(|_| (random.below(300), random.below(300))).collect();
        let layout = lay_out(300, &edges);
        check(300, &layout);
        assert!(layout.layers < 40, "{}", layout.layers);
    }

    #[test]
    fn edges_of_unknown_nodes_are_ignored() {
        assert_eq!(lay_out(2, &[(0, 1), (0, 7), (9, 1)]), lay_out(2, &[(0, 1)]));
    }
}
