import { useMemo, type KeyboardEvent, type ReactNode, type RefObject } from 'react';
import type { Topology } from '../../../core/api/contract.ts';
import { nodeHeight, nodeWidth, placeNodes, type PlacedEdge, type PlacedNode } from './map-layout.ts';
import { toneOf } from './state.tsx';

type Opened = (node: Topology['nodes'][number]) => void;

interface Props {
  readonly topology: Topology;
  readonly picture: RefObject<SVGSVGElement | null>;
  readonly name: string;
  /** Made as small as it takes to be seen at once. */
  readonly isWhole: boolean;
  readonly open: Opened;
}

/** The picture as one SVG. Each node is a button, so that it is there for keys and for readers. */
export default function MapPicture({ topology, picture, name, isWhole, open }: Props): ReactNode {
  const placed = useMemo(() => placeNodes(topology), [topology]);
  const width = Math.max(placed.width, 320);
  const whole = { maxWidth: '100%', maxHeight: '70vh', height: 'auto' };
  return (
    <div
      style={{ overflow: 'auto', maxHeight: '72vh' }}
      tabIndex={0}
      role="region"
      aria-label={`map of ${name}: ${topology.nodes.length} things and ${topology.edges.length} ties between them`}
    >
      <svg
        ref={picture}
        xmlns="http://www.w3.org/2000/svg"
        width={width}
        height={placed.height}
        viewBox={`0 0 ${width} ${placed.height}`}
        style={isWhole ? whole : undefined}
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
          <Node key={each.node.id} {...each} open={open} />
        ))}
      </svg>
    </div>
  );
}

function Edge({ edge, points }: PlacedEdge): ReactNode {
  const d = points.reduce((drawn, { x, y }, index) => {
    const from = points[index - 1];
    if (from === undefined) return `M${x.toFixed(1)} ${y.toFixed(1)}`;
    const middle = ((from.x + x) / 2).toFixed(1);
    return `${drawn}C${middle} ${from.y.toFixed(1)} ${middle} ${y.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)}`;
  }, '');
  return (
    <path
      d={d}
      fill="none"
      stroke="#868e96"
      strokeWidth={1.2}
      strokeDasharray={edge.kind === 'depends' ? '6 3' : undefined}
      markerEnd="url(#arrow)"
    >
      <title>{`${edge.from} ${edge.kind} ${edge.to}`}</title>
    </path>
  );
}

// With a value beside each name: what is saved has no style sheet (save-picture.ts).
const plain = 'var(--map-line, #adb5bd)';
const outlines = {
  created: 'var(--map-good, #2b8a3e)',
  changed: 'var(--map-warn, #e67700)',
  removed: 'var(--map-bad, #c92a2a)',
} as const;
const signs = { created: '+ ', changed: '~ ', removed: '− ' } as const;
const stateColours = {
  good: '#2f9e44',
  bad: '#e03131',
  warn: '#f08c00',
  busy: '#1c7ed6',
  quiet: '#868e96',
} as const;
/** Around its middle: round is well, a diamond is broken, a triangle is not known, a square is on its way, a bar rests. */
const stateShapes = {
  good: 'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z',
  bad: 'M0-6.5 6.5 0 0 6.5-6.5 0z',
  warn: 'M0-6 6 5-6 5z',
  busy: 'M-4.5-4.5h9v9h-9z',
  quiet: 'M-6-2h12v4h-12z',
} as const;
const longestName = 24;

function shortened(text: string, most = longestName): string {
  return text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
}

function Node({ node, x, y, open }: PlacedNode & { readonly open: Opened }): ReactNode {
  const { change, drift, health, kind, name, namespace, cluster, sync } = node;
  const outline = change === undefined ? (drift ? outlines.removed : plain) : outlines[change];
  const short = shortened(name);
  const mark = change === undefined ? '' : signs[change];
  const state = sync !== undefined && sync !== 'Synced' ? ` (${sync})` : drift ? ' (drifted)' : '';
  // What is behind it must be read: a long name before it is cut.
  const head = `${mark}${shortened(cluster ?? kind, longestName - mark.length - state.length)}${state}`;
  // The title is its name, and begins as it is drawn: whoever speaks to the page can say what they see.
  const told = [
    `${head} ${short}`,
    `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
    ...[health, change].filter((each) => each !== undefined),
  ].join(', ');
  const press = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    open(node);
  };
  return (
    <g
      transform={`translate(${x - nodeWidth / 2} ${y - nodeHeight / 2})`}
      role="button"
      tabIndex={0}
      className="map-node"
      onKeyDown={press}
      onClick={() => {
        open(node);
      }}
    >
      <title>{told}</title>
      <rect
        width={nodeWidth}
        height={nodeHeight}
        rx={6}
        fill="var(--map-node, #ffffff)"
        stroke={outline}
        strokeWidth={change === undefined && !drift ? 1 : 2.5}
        strokeDasharray={change === 'removed' ? '5 3' : undefined}
      />
      {health !== undefined && (
        <path
          d={stateShapes[toneOf(health)]}
          transform="translate(14 18)"
          fill={stateColours[toneOf(health)]}
        />
      )}
      <text
        aria-hidden="true"
        x={health === undefined ? 12 : 26}
        y={22}
        fontSize={12}
        fill="var(--map-quiet, #495057)"
      >
        {head}
      </text>
      <text aria-hidden="true" x={12} y={41} fontSize={13} fontWeight={600} fill="var(--map-text, #212529)">
        {short}
      </text>
    </g>
  );
}
