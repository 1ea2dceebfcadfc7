import type { ReactNode } from 'react';
import type { Timeline } from '../../../core/api/contract.ts';

const kinds = ['push', 'image', 'run', 'heal', 'rollback', 'drift', 'health', 'delivery'] as const;
const lineHeight = 22;
const left = 64;
const width = 1000;
const colours = { good: '#2f9e44', bad: '#e03131', running: '#1c7ed6', neutral: '#868e96' } as const;
const ticks = 6;

/** A line for each kind of event, time from left to right. */
export function TimelineAxis({ timeline: { events, from, to } }: { readonly timeline: Timeline }): ReactNode {
  const shown = kinds.filter((kind) => events.some((event) => event.kind === kind));
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const place = (at: string): number => {
    const share = (Date.parse(at) - start) / Math.max(1, end - start);
    return left + Math.min(1, Math.max(0, share)) * (width - left - 10);
  };
  const height = shown.length * lineHeight + 24;
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      width="100%"
      role="img"
      aria-label={`${events.length} events from ${new Date(from).toLocaleString()} to ${new Date(to).toLocaleString()}`}
      style={{ display: 'block', marginBottom: 12 }}
    >
      {Array.from({ length: ticks }, (_, index) => {
        const at = new Date(start + ((end - start) * index) / ticks);
        const x = place(at.toISOString());
        return (
          <g key={index}>
            <line x1={x} x2={x} y1={0} y2={height - 20} stroke="#868e96" strokeOpacity={0.25} />
            <text x={x} y={height - 5} fontSize={11} fill="currentColor">
              {at.toLocaleString([], { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })}
            </text>
          </g>
        );
      })}
      {shown.map((kind, line) => (
        <g key={kind} transform={`translate(0 ${line * lineHeight})`}>
          <text x={0} y={15} fontSize={12} fill="currentColor">
            {kind}
          </text>
          {events
            .filter((event) => event.kind === kind)
            .map((event) => {
              const x = place(event.at);
              const until = event.until === undefined ? x : place(event.until);
              return (
                <rect
                  key={`${event.at} ${event.title} ${event.cluster ?? ''} ${event.application ?? ''}`}
                  x={x}
                  y={5}
                  width={Math.max(4, until - x)}
                  height={12}
                  rx={2}
                  fill={colours[event.state]}
                >
                  <title>{`${event.application ?? ''} ${event.cluster ?? ''} ${event.title}: ${event.detail}`}</title>
                </rect>
              );
            })}
        </g>
      ))}
    </svg>
  );
}
