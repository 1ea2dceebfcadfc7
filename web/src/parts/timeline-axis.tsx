import { useElementSize } from '@mantine/hooks';
import type { ReactNode } from 'react';
import type { Timeline } from '../../../core/api/contract.ts';
import { whenOf } from './when.ts';

/** From what came in to what it led to. */
const kinds = [
  'delivery',
  'push',
  'image',
  'run',
  'heal',
  'rollback',
  'drift',
  'health',
  'hold',
  'notice',
] as const satisfies readonly Timeline['events'][number]['kind'][];
const lineHeight = 22;
const left = 64;
const narrowest = 280;
/** Room for one time below the axis. */
const tickWidth = 120;
const colours = { good: '#2f9e44', bad: '#e03131', running: '#1c7ed6', neutral: '#868e96' } as const;

/** Told without colours too: what is bad stands out, what rests is thin, what goes on is hollow. */
const tall = { good: 10, bad: 18, running: 12, neutral: 5 } as const;

type Events = Timeline['events'];

/** What has begun and not ended is so until now. */
function isLasting({ kind, state }: Events[number]): boolean {
  return kind === 'drift' || kind === 'health' || state === 'running';
}

/** Where nothing happened in most of the time, the axis begins shortly before the first that did. */
function startOf(events: Events, from: number, end: number): number {
  const first = Math.min(end, ...events.map(({ at }) => Date.parse(at)));
  const isLate = events.length > 0 && first - from > (end - from) / 2;
  return isLate ? Math.max(from, first - Math.max(60_000, (end - first) / 10)) : from;
}

/** A line for each kind of event, time from left to right; as wide as there is room, so that its texts can be read. */
export function TimelineAxis({ timeline: { events, from, to } }: { readonly timeline: Timeline }): ReactNode {
  const { ref, width: room } = useElementSize<HTMLDivElement>();
  const width = Math.max(narrowest, room);
  const shown = kinds.filter((kind) => events.some((event) => event.kind === kind));
  const end = Date.parse(to);
  const start = startOf(events, Date.parse(from), end);
  const place = (at: string): number => {
    const share = (Date.parse(at) - start) / Math.max(1, end - start);
    return left + Math.min(1, Math.max(0, share)) * (width - left - 10);
  };
  const height = shown.length * lineHeight + 24;
  const ticks = Math.max(2, Math.floor((width - left) / tickWidth));
  return (
    <div ref={ref} style={{ overflow: 'hidden' }}>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`${events.length} events from ${whenOf(new Date(start).toISOString())} to ${whenOf(to)}`}
        style={{ display: 'block', marginBottom: 12 }}
      >
        {Array.from({ length: ticks }, (_, index) => {
          const at = new Date(start + ((end - start) * index) / ticks);
          const x = place(at.toISOString());
          return (
            <g key={index}>
              <line x1={x} x2={x} y1={0} y2={height - 20} stroke="#868e96" strokeOpacity={0.25} />
              <text x={x} y={height - 5} fontSize={11} fill="currentColor">
                {at.toLocaleString([], {
                  month: 'short',
                  day: 'numeric',
                  hour: '2-digit',
                  minute: '2-digit',
                })}
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
              // Of several targets at one time, what is bad is on top.
              .toSorted((a, b) => tall[a.state] - tall[b.state])
              .map((event, index) => {
                const x = place(event.at);
                const until = place(event.until ?? (isLasting(event) ? to : event.at));
                const { state, application = '', cluster = '', title, detail } = event;
                return (
                  // Two of one instant may say the same.
                  <rect
                    key={`${event.at} ${index}`}
                    x={x}
                    y={11 - tall[state] / 2}
                    width={Math.max(4, until - x)}
                    height={tall[state]}
                    rx={2}
                    fill={state === 'running' ? 'none' : colours[state]}
                    stroke={colours[state]}
                  >
                    <title>{`${whenOf(event.at)} ${application} ${cluster} ${title}: ${detail}`}</title>
                  </rect>
                );
              })}
          </g>
        ))}
      </svg>
    </div>
  );
}
