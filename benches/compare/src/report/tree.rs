use std::cmp::Reverse;

use baselines::sites::SiteCost;

use crate::model::SiteRow;

/// Separator of the frames of a call path.
const FRAMES: &str = " <- ";

/// A frame, and the costs of all differing sites below it.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    pub(super) frame: &'a str,
    pub(super) base: SiteCost,
    pub(super) head: SiteCost,
    pub(super) callees: Vec<Self>,
}

/// The frames of all call paths, callers first, the largest change first.
pub(super) fn callers<'a>(sites: &'a [SiteRow]) -> Vec<Node<'a>> {
    let mut root = Node::default();
    for site in sites {
        let (base, head) = (site.base.unwrap_or_default(), site.head.unwrap_or_default());
        let mut node = &mut root;
        for frame in site.key.rsplit(FRAMES) {
            let at = node.callees.iter().position(|callee| callee.frame == frame);
            let at = at.unwrap_or_else(|| {
                node.callees.push(Node { frame, ..Node::default() });
                node.callees.len() - 1
            });
            node = &mut node.callees[at];
            add(&mut node.base, base);
            add(&mut node.head, head);
        }
    }
    sort(&mut root.callees);
    root.callees
}

/// Whether a frame has several callees. Otherwise a tree shows no more than the paths.
pub(super) fn branches(nodes: &[Node<'_>]) -> bool {
    nodes.iter().any(|node| node.callees.len() > 1 || branches(&node.callees))
}

/// The frames of a call path, innermost first.
pub(super) fn frames(site: &SiteRow) -> impl Iterator<Item = &str> {
    site.key.split(FRAMES)
}

/// Change in blocks and in bytes at 2N, by which call sites are ordered.
pub(super) fn change(base: SiteCost, head: SiteCost) -> [i128; 2] {
    let delta = |base: [u64; 2], head: [u64; 2]| i128::from(head[1]) - i128::from(base[1]);
    [delta(base.blocks, head.blocks), delta(base.bytes, head.bytes)]
}

/// The largest change in blocks and in bytes, which is the length of a full bar.
pub(super) fn furthest(changes: impl Iterator<Item = [i128; 2]>) -> [f64; 2] {
    changes.fold([0.0; 2], |furthest, change| {
        [0, 1].map(|metric| f64::max(furthest[metric], change[metric].unsigned_abs() as f64))
    })
}

/// The largest changes in a tree, where a caller may exceed every single site.
pub(super) fn furthest_of(nodes: &[Node<'_>]) -> [f64; 2] {
    let here = furthest(nodes.iter().map(|node| change(node.base, node.head)));
    let below = nodes.iter().map(|node| furthest_of(&node.callees));
    below.fold(here, |a, b| [0, 1].map(|metric| f64::max(a[metric], b[metric])))
}

fn sort(nodes: &mut [Node<'_>]) {
    nodes.sort_by_key(|node| Reverse(change(node.base, node.head).map(i128::abs)));
    nodes.iter_mut().for_each(|node| sort(&mut node.callees));
}

fn add(sum: &mut SiteCost, cost: SiteCost) {
    for n in [0, 1] {
        sum.blocks[n] = sum.blocks[n].saturating_add(cost.blocks[n]);
        sum.bytes[n] = sum.bytes[n].saturating_add(cost.bytes[n]);
    }
}
