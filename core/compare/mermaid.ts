import { refKey, type ObjectRef } from '../model/object.ts';
import type { Topology, TopologyEdge, TopologyNode } from './topology.ts';

const signs = { created: '+ ', changed: '~ ', removed: '− ', same: '', elsewhere: '' } as const;

/** With a colour for the letters, so that they can be read on dark pages too. */
const styles = `  classDef created fill:#dafbe1,stroke:#1a7f37,color:#1f2328
  classDef changed fill:#fff8c5,stroke:#9a6700,color:#1f2328
  classDef removed fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:4
  classDef same fill:#f6f8fa,stroke:#8c959f,color:#1f2328
  classDef elsewhere fill:#f6f8fa,stroke:#8c959f,color:#57606a,stroke-dasharray:2`;

/** A topology as a flowchart in Mermaid, which GitHub, GitLab, Gitea and Azure DevOps draw. Names cannot be syntax of it. */
export function mermaidOf({ nodes, edges, more }: Topology): string {
  const ids = new Map(nodes.map(({ ref }, index) => [refKey(ref), `n${index}`]));
  const hasOneNamespace = new Set(nodes.map(({ ref }) => ref.namespace)).size === 1;
  const id = (ref: ObjectRef) => ids.get(refKey(ref)) ?? '';
  const lines = [
    'flowchart LR',
    ...nodes.map((node) => `  ${id(node.ref)}["${label(node, hasOneNamespace)}"]:::${node.state}`),
    ...edges.map((edge) => `  ${id(edge.from)} ${arrow(edge)} ${id(edge.to)}`),
    ...(more > 0 ? [`  more["and ${more} more"]:::elsewhere`] : []),
    styles,
  ];
  return lines.join('\n');
}

function label({ ref, state }: TopologyNode, hasOneNamespace: boolean): string {
  const name = hasOneNamespace || ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
  return `${signs[state]}${plain(ref.kind)}<br/>${plain(name)}`;
}

function arrow({ state }: TopologyEdge): string {
  return { created: '==>', removed: '-.->|gone|', same: '-->' }[state];
}

/** Nothing that Mermaid could read as syntax: it does not draw every escape of its own that it takes. */
function plain(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return short.replaceAll(/[^\w./: …-]/gu, '·');
}
