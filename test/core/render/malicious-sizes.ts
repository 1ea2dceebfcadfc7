import type { MaliciousCase } from './malicious-case.ts';
import { base, overlay } from './rendering.ts';

const plain = { path: 'apps/web' };
const bomb = Array.from({ length: 9 }, (_, at) => {
  const before = at === 0 ? 'x' : `*a${at - 1}`;
  return `a${at}: &a${at} [${Array.from({ length: 10 }, () => before).join(', ')}]`;
}).join('\n');
const keys = Array.from({ length: 2000 }, (_, at) => `k${at}: 1`).join(', ');
const merges = `a: &a {${keys}}\n${Array.from({ length: 100 }, (_, at) => `m${at}: {<<: *a}`).join('\n')}`;
const many = Array.from({ length: 10_001 }, (_, at) => `- metadata: {name: a${at}}`).join('\n');

/** What is small in a commit and large once it is read. */
export const sizes: readonly MaliciousCase[] = [
  { tried: 'aliases that explode', files: { 'apps/web/a.yaml': bomb }, source: plain },
  {
    tried: 'aliases that explode, in a patch',
    files: {
      ...overlay('resources: [../../base]\npatches: [{path: p.yaml}]\n'),
      'overlays/prod/p.yaml': bomb,
    },
  },
  { tried: 'merges that explode', files: { 'apps/web/a.yaml': merges }, source: plain },
  { tried: 'an anchor in itself', files: { 'apps/web/a.yaml': 'a: &a [*a]' }, source: plain },
  { tried: 'a hundred thousand brackets', files: { 'apps/web/a.yaml': '['.repeat(100_000) }, source: plain },
  { tried: 'a file that is too large', files: { 'apps/web/a.yaml': '#'.repeat(1_000_001) }, source: plain },
  {
    tried: 'too many objects',
    files: { 'apps/web/a.yaml': `apiVersion: v1\nkind: ConfigMapList\nitems:\n${many}\n` },
    source: plain,
  },
  {
    tried: 'bases in a circle',
    files: {
      ...base,
      'overlays/prod/kustomization.yaml': 'resources: [../../a]\n',
      'a/kustomization.yaml': 'resources: [../overlays/prod]\n',
    },
  },
  {
    tried: 'bytes that are no text',
    files: { 'apps/web/a.yaml': new Uint8Array([0xff, 0xfe, 0x00]) },
    source: plain,
  },
];
