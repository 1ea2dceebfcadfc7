import { prefixes } from '../core/contract/keys.ts';

/** Records as Athena reads them: one JSON document each, of which a table names what questions are asked of. */
export interface RecordTable {
  readonly name: 'runs' | 'drift';
  readonly says: string;
  readonly prefix: string;
  /** Types of Hive by column. The reader of JSON knows keys in lower case alone. */
  readonly columns: Readonly<Record<string, string>>;
}

const commit =
  'struct<repository:string,ref:string,sha:string,subject:string,author:struct<name:string,email:string,at:string>>';
const counts = 'struct<created:int,updated:int,unchanged:int,pruned:int,failed:int>';
const target = 'struct<cluster:string,application:string>';

export const recordTables: readonly RecordTable[] = [
  {
    name: 'runs',
    says: 'One pass over one target each: what was applied, of which commit, and what came of it',
    prefix: prefixes.runs,
    columns: {
      id: 'string',
      target,
      reason: 'string',
      requestedby: 'string',
      revision: 'bigint',
      snapshot: 'string',
      commit,
      startedat: 'string',
      outcome: `struct<kind:string,at:string,message:string,counts:${counts}>`,
      health: 'struct<status:string,at:string>',
    },
  },
  {
    name: 'drift',
    says: 'One episode of drift of one object each: what, who, since when, and how it ended',
    prefix: prefixes.drift,
    columns: {
      id: 'string',
      target,
      drift:
        'struct<kind:string,ref:struct<group:string,kind:string,namespace:string,name:string>,fields:array<struct<class:string,path:string,manager:string>>>',
      mode: 'string',
      state: 'string',
      openedat: 'string',
      happenedat: 'string',
      closedat: 'string',
      who: 'struct<user:string,useragent:string,verb:string,addresses:array<string>>',
      secondstodetect: 'double',
      secondstoheal: 'double',
    },
  },
];

/** A question that is asked again and again; each `?` is asked for when it is run, in this order. */
export interface SavedQuery {
  readonly name: string;
  readonly says: string;
  readonly sql: string;
}

export const savedQueries: readonly SavedQuery[] = [
  {
    name: 'who-drifted-what',
    says: 'Who drifted what, most often first; parameters: first day, last day',
    sql: `
SELECT coalesce(d.who."user", element_at(d.drift.fields, 1).manager, 'unknown') AS who,
       d.target.cluster AS cluster, d.target.application AS application,
       d.drift.ref.kind AS kind, d.drift.ref.namespace AS namespace, d.drift.ref.name AS name,
       count(*) AS times, max(d.openedat) AS newest
FROM drift AS d
WHERE d.day BETWEEN ? AND ?
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY times DESC, newest DESC`,
  },
  {
    name: 'mean-time-to-heal',
    says: 'Mean seconds until drift was found and until it was healed, by cluster; parameters: first day, last day',
    sql: `
SELECT d.target.cluster AS cluster, count(*) AS healed,
       avg(d.secondstodetect) AS mean_seconds_to_detect,
       avg(d.secondstoheal) AS mean_seconds_to_heal, max(d.secondstoheal) AS longest_seconds_to_heal
FROM drift AS d
WHERE d.state = 'healed' AND d.day BETWEEN ? AND ?
GROUP BY 1
ORDER BY 1`,
  },
  {
    name: 'changes-by-author',
    says: 'What was applied of whose commits; parameters: first day, last day',
    sql: `
SELECT r."commit".author.name AS author, r."commit".author.email AS email,
       count(DISTINCT r."commit".sha) AS commits, count(*) AS runs,
       sum(r.outcome.counts.created) AS created, sum(r.outcome.counts.updated) AS updated,
       sum(r.outcome.counts.pruned) AS pruned
FROM runs AS r
WHERE r.outcome.kind = 'applied' AND r.reason = 'push' AND r.day BETWEEN ? AND ?
GROUP BY 1, 2
ORDER BY commits DESC, author`,
  },
  {
    name: 'state-of-a-cluster-on-a-date',
    says: 'Which commit of each application was the last applied; parameters: cluster, first day to look at, the day',
    sql: `
SELECT r.target.application AS application, max_by(r."commit".sha, r.outcome.at) AS sha,
       max_by(r."commit".subject, r.outcome.at) AS subject, max_by(r.snapshot, r.outcome.at) AS snapshot,
       max(r.outcome.at) AS applied_at
FROM runs AS r
WHERE r.outcome.kind = 'applied' AND r.target.cluster = ? AND r.day BETWEEN ? AND ?
GROUP BY 1
ORDER BY 1`,
  },
];
