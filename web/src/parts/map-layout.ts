import { Graph, layout } from '@dagrejs/dagre';
import type { Topology } from '../../../core/api/contract.ts';

export interface PlacedNode {
  readonly node: Topology['nodes'][number];
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly edge: Topology['edges'][number];
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface PlacedMap {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

export const nodeWidth = 190;
export const nodeHeight = 52;
/** What nothing leads to or from stands below, so many in a line. */
const looseInLine = 5;
const gap = 18;

/** From the way in on the left to what is read on the right; pure, and the same for the same objects. */
export function placeNodes({ nodes, edges }: Topology): PlacedMap {
  const tied = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: gap, ranksep: 60, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) if (tied.has(id)) graph.setNode(id, { width: nodeWidth, height: nodeHeight });
  for (const { from, to, kind } of edges) graph.setEdge(from, to, {}, kind);
  layout(graph);
  const drawn = tied.size === 0 ? { width: 0, height: 0 } : graph.graph();
  const [width, height] = [drawn.width ?? 0, drawn.height ?? 0];
  const loose = nodes.filter(({ id }) => !tied.has(id));
  const placed = nodes
    .filter(({ id }) => tied.has(id))
    .map((node): PlacedNode => {
      const { x, y } = graph.node(node.id);
      return { node, x: x ?? 0, y: y ?? 0 };
    });
  const below = loose.map((node, index): PlacedNode => {
    const [line, column] = [Math.floor(index / looseInLine), index % looseInLine];
    return {
      node,
      x: 8 + nodeWidth / 2 + column * (nodeWidth + gap),
      y: height + gap + nodeHeight / 2 + line * (nodeHeight + gap),
    };
  });
  const lines = Math.ceil(loose.length / looseInLine);
  const looseWidth = Math.min(loose.length, looseInLine) * (nodeWidth + gap);
  return {
    nodes: [...placed, ...below],
    edges: edges.map((edge) => {
      const { points = [] }: { readonly points?: PlacedEdge['points'] } = graph.edge(
        edge.from,
        edge.to,
        edge.kind,
      );
      return { edge, points: fromSideToSide(points, graph.node(edge.from), graph.node(edge.to)) };
    }),
    width: Math.max(width, looseWidth) + 8,
    height: height + lines * (nodeHeight + gap) + 2 * gap,
  };
}

type Point = PlacedEdge['points'][number];

/** Out at the right of one and in at the left of the other, past what the layout goes around; back, as the layout has it. */
function fromSideToSide(
  points: readonly Point[],
  from: Partial<Point>,
  to: Partial<Point>,
): readonly Point[] {
  const start = { x: (from.x ?? 0) + nodeWidth / 2, y: from.y ?? 0 };
  const end = { x: (to.x ?? 0) - nodeWidth / 2, y: to.y ?? 0 };
  if (start.x >= end.x) return points;
  // Between neighbours there is nothing to go around.
  const isLong = end.x - start.x > nodeWidth;
  return [start, ...(isLong ? points.slice(1, -1) : []), end];
}
