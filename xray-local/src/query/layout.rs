//! Where the nodes of a map lie: layers from callers to callees, and an order within each layer.
//!
//! A pure function of the graph, the same for the page and the terminal. Edges may form cycles, hubs and loops; what
//! closes a cycle is drawn backwards.

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
    /// How many layers there are.
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

/// Each pair of nodes once, no loops, and what closes a cycle turned around. A walk from nodes without callers first
/// meets edges in their usual direction.
fn acyclic(nodes: usize, edges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut targets: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    let mut is_called = vec![false; nodes];
    for &(source, target) in edges {
        if source != target && source < nodes && target < nodes && !targets[source].contains(&target) {
            targets[source].push(target);
            is_called[target] = true;
        }
    }
    let mut kept = Vec::new();
    let mut state = vec![Walked::Not; nodes];
    let starts = (0..nodes).filter(|&node| !is_called[node]).chain(0..nodes);
    for start in starts {
        if state[start] != Walked::Not {
            continue;
        }
        // The path, and for each node on it the next edge to look at.
        let mut path = vec![(start, 0)];
        state[start] = Walked::OnPath;
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            let Some(&target) = targets[node].get(*next) else {
                state[node] = Walked::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match state[target] {
                Walked::OnPath => kept.push((target, node)),
                Walked::Done => kept.push((node, target)),
                Walked::Not => {
                    kept.push((node, target));
                    state[target] = Walked::OnPath;
                    path.push((target, 0));
                }
            }
        }
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[derive(Clone, Copy, PartialEq)]
enum Walked {
    Not,
    OnPath,
    Done,
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
    let vertices: Vec<(u32, (f64, f64))> = component.iter().map(|&node| (node as u32, (0.0, 0.0))).collect();
    let own = |node: usize| component.binary_search(&node).is_ok();
    let within: Vec<(u32, u32)> = edges
        .iter()
        .filter(|(source, _)| own(*source))
        .map(|&(source, target)| (source as u32, target as u32))
        .collect();
    let mut placed: Vec<(usize, f64, f64)> = Vec::with_capacity(component.len());
    if within.is_empty() {
        placed.extend(component.iter().map(|&node| (node, 0.0, 0.0)));
    } else {
        for (vertices, _, _) in from_vertices_and_edges(&vertices, &within, &CONFIG) {
            placed.extend(vertices.into_iter().map(|(node, (x, y))| (node, x, y)));
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

    #[test]
    fn a_chain_is_a_row_of_layers() {
        let layout = lay_out(3, &[(0, 1), (1, 2)]);
        assert_eq!(layout.spots.iter().map(|spot| spot.layer).collect::<Vec<_>>(), [0, 1, 2]);
        println!("{layout:?}");
        println!("{:?}", lay_out(6, &[(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)]));
        println!("{:?}", lay_out(3, &[]));
    }
}
