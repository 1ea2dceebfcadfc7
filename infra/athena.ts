import { Stack } from 'aws-cdk-lib/core';
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { recordTables, savedQueries, type RecordTable } from './record-tables.ts';

export interface AthenaProps {
  readonly fleet: string;
  readonly bucket: Pick<IBucket, 'bucketName'>;
}

/** Before the first installation: days without records cost nothing. */
const firstDay = '2026-01-01';

/**
 * Records of runs and drift as tables of Athena, with queries that are asked again and again. The days are projected:
 * no crawler and no partition is kept, and a query reads the days that it names.
 */
export class Athena extends Construct {
  constructor(scope: Construct, id: string, { fleet, bucket }: AthenaProps) {
    super(scope, id);
    const name = `trueup_${fleet.replaceAll('-', '_')}`;
    const catalogId = Stack.of(this).account;
    const database = new CfnDatabase(this, 'Database', {
      catalogId,
      databaseInput: { name, description: `Records of trueup, installation ${fleet}` },
    });
    for (const table of recordTables) {
      const made = new CfnTable(this, table.name, {
        catalogId,
        databaseName: name,
        tableInput: tableInput(table, `s3://${bucket.bucketName}/${table.prefix}`),
      });
      made.addResourceDependency(database);
    }
    const workGroup = new CfnWorkGroup(this, 'WorkGroup', {
      name: `trueup-${fleet}`,
      description: `Questions to the records of trueup, installation ${fleet}`,
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        // Athena keeps answers itself, encrypted, for a day: no bucket of answers to look after.
        managedQueryResultsConfiguration: { enabled: true },
      },
    });
    for (const { name: query, says, sql } of savedQueries) {
      const named = new CfnNamedQuery(this, query, {
        database: name,
        name: query,
        description: says,
        queryString: sql.trim(),
        workGroup: workGroup.name,
      });
      named.addResourceDependency(workGroup);
    }
  }
}

function tableInput({ name, says, columns }: RecordTable, location: string): CfnTable.TableInputProperty {
  return {
    name,
    description: says,
    tableType: 'EXTERNAL_TABLE',
    partitionKeys: [{ name: 'day', type: 'string' }],
    parameters: {
      'projection.enabled': 'true',
      'projection.day.type': 'date',
      'projection.day.format': 'yyyy-MM-dd',
      'projection.day.range': `${firstDay},NOW`,
      'projection.day.interval': '1',
      'projection.day.interval.unit': 'DAYS',
      'storage.location.template': `${location}date=\${day}/`,
    },
    storageDescriptor: {
      location,
      columns: Object.entries(columns).map(([column, type]) => ({ name: column, type })),
      inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
      outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
      // A record that is cut short must not fail a question about all the others.
      serdeInfo: {
        serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
        parameters: { 'ignore.malformed.json': 'true' },
      },
    },
  };
}
