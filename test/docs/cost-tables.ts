import { sumOf } from '../../core/view/month-cost.ts';
import { argo, flux, onFargate, onNodes, type Bill, type Line } from './bill.ts';

/** Clusters of the table that compares. */
export const sizes = [1, 10, 100, 1000] as const;

const usd = (amount: number): string => amount.toFixed(2);

/** The tables of `docs/cost.md` by their name in its markers. */
export function costTables({ fixed, perCluster }: Bill): Readonly<Record<string, string>> {
  const [floor, each] = [sumOf(fixed), sumOf(perCluster)];
  const comparison = sizes.map((clusters) =>
    row([
      clusters.toLocaleString('en'),
      ...[floor, clusters * each, floor + clusters * each].map(usd),
      ...[onNodes(flux), onFargate(flux), onNodes(argo), onFargate(argo)].map((one) => usd(clusters * one)),
    ]),
  );
  return {
    comparison: [
      row([
        'clusters',
        'fixed floor',
        'clusters',
        'USD a month',
        'Flux on EC2',
        'Flux on Fargate',
        'Argo CD on EC2',
        'Argo CD on Fargate',
      ]),
      row(Array.from({ length: 8 }, () => '---')),
      ...comparison,
    ].join('\n'),
    floor: linesTable(fixed),
    cluster: linesTable(perCluster),
  };
}

function linesTable(lines: readonly Line[]): string {
  return [
    row(['item', 'a month', 'price of one', 'USD a month']),
    row(['---', '---', '---', '---']),
    ...lines.map(({ item, count, price }) => row([item, countOf(count), priceOf(price), usd(count * price)])),
    row(['**sum**', '', '', `**${usd(sumOf(lines))}**`]),
  ].join('\n');
}

function countOf(count: number): string {
  return count >= 10 ? Math.round(count).toLocaleString('en') : String(Math.round(count * 1000) / 1000);
}

function priceOf(price: number): string {
  return price < 0.001 ? `${Number((price * 1e6).toPrecision(6))} per million` : String(price);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The page with each table in its place, between `<!-- table NAME -->` and `<!-- end -->`. */
export function withTables(page: string, tables: Readonly<Record<string, string>>): string {
  return page.replaceAll(
    /(<!-- table (\w+) -->\n)[^]*?(<!-- end -->)/g,
    (_, start: string, name: string, end: string) => `${start}\n${tables[name] ?? ''}\n\n${end}`,
  );
}
