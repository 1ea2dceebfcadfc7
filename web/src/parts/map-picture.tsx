import { useMemo, type ReactNode, type RefObject } from 'react';
import type { Topology } from '../../../core/api/contract.ts';
import { nodeHeight, nodeWidth, placeNodes, type PlacedEdge, type PlacedNode } from './map-layout.ts';
import { toneOf } from './state.tsx';

interface Props {
  readonly topology: Topology;
  readonly picture: RefObject<SVGSVGElement | null>;
  readonly name: string;
}

/** The picture as one SVG, whose colours are its own, so that it can be saved. A list of the same is there for readers. */
export default function MapPicture({ topology, picture, name }: Props): ReactNode {
  const placed = useMemo(() => placeNodes(topology), [topology]);
  const width = Math.max(placed.width, 320);
  return (
    <div
      style={{ overflow: 'auto', maxHeight: '70vh' }}
      tabIndex={0}
      role="region"
      aria-label={`map of ${name}`}
    >
      <svg
        ref={picture}
        xmlns="http://www.w3.org/2000/svg"
        width={width}
        height={placed.height}
        viewBox={`0 0 ${width} ${placed.height}`}
        role="img"
        aria-label={`${topology.nodes.length} objects and ${topology.edges.length} ties between them`}
        fontFamily="system-ui, sans-serif"
      >
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="8"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path d="M0 0 8 4 0 8z" fill="#868e96" />
          </marker>
        </defs>
        {placed.edges.map((each) => (
          <Edge key={`${each.edge.from} ${each.edge.to} ${each.edge.kind}`} {...each} />
        ))}
        {placed.nodes.map((each) => (
          <Node key={each.node.id} {...each} />
        ))}
      </svg>
    </div>
  );
}

function Edge({ edge, points }: PlacedEdge): ReactNode {
  const d = points
    .map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join(' ');
  return (
    <path d={d} fill="none" stroke="#868e96" strokeWidth={1.2} markerEnd="url(#arrow)">
      <title>{`${edge.from} ${edge.kind} ${edge.to}`}</title>
    </path>
  );
}

const outlines = { created: '#2b8a3e', changed: '#e67700', removed: '#c92a2a' } as const;
const signs = { created: '+ ', changed: '~ ', removed: '− ' } as const;
const healthColours = {
  good: '#2f9e44',
  bad: '#e03131',
  warn: '#f08c00',
  busy: '#1c7ed6',
  quiet: '#868e96',
} as const;
const longestName = 24;

function Node({ node, x, y }: PlacedNode): ReactNode {
  const { change, drift, health, kind, name, namespace } = node;
  const outline = change === undefined ? (drift ? '#c92a2a' : '#adb5bd') : outlines[change];
  const told = [
    `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
    ...(health === undefined ? [] : [health]),
    ...(drift ? ['drifted'] : []),
    ...(change === undefined ? [] : [change]),
  ].join(', ');
  const short = name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name;
  return (
    <g transform={`translate(${x - nodeWidth / 2} ${y - nodeHeight / 2})`}>
      <title>{told}</title>
      <rect
        width={nodeWidth}
        height={nodeHeight}
        rx={6}
        fill="#ffffff"
        stroke={outline}
        strokeWidth={change === undefined && !drift ? 1 : 2.5}
        strokeDasharray={change === 'removed' ? '5 3' : undefined}
      />
      {health !== undefined && <circle cx={14} cy={18} r={5} fill={healthColours[toneOf(health)]} />}
      <text x={health === undefined ? 12 : 26} y={22} fontSize={12} fill="#495057">
        {change === undefined ? '' : signs[change]}
        {kind}
        {drift ? ' (drifted)' : ''}
      </text>
      <text x={12} y={41} fontSize={13} fontWeight={600} fill="#212529">
        {short}
      </text>
    </g>
  );
}
