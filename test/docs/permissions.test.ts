import { after, test } from 'node:test';
import { rolesIn, type Right } from '../infra/role-rights.ts';
import { dashboard, sample, synthesize } from '../infra/synthesized.ts';

const page = 'docs/reference/permissions.md';

const clusters = (sample.clusters ?? []).map((one) =>
  one.name === 'staging' ? { ...one, audit: true } : one,
);
const stack = synthesize({ ...sample, clusters, dashboard });
after(() => stack[Symbol.dispose]());

const intro = `# Permissions

What each IAM role of an installation may do: every statement of every policy, out of the template, for a configuration with
one of everything: a private and a public repository, an EKS cluster in the stack's region whose audit log is
followed, one in another, one by kubeconfig, and the dashboard. Yours has the names of your own. No role has a managed policy, but for those of functions in a VPC, which
Lambda demands (\`AWSLambdaVPCAccessExecutionRole\`).

\`<Name>\` is a resource of the stack, or the stack's partition, region or account. What may be done inside a cluster, the
cluster says: [install](install.md#let-it-into-a-cluster).

This page is written by \`node --test --test-update-snapshots test/docs/permissions.test.ts\`, and the test fails while it
is not what the template says.
`;

const cell = (text: string): string => (text === '' ? '' : `\`${text}\``);

/** Actions on the same resource under the same condition are one row. */
function tableOf(rights: readonly Right[]): string {
  const rows = Map.groupBy(rights, ({ resource, condition }) => JSON.stringify([resource, condition]));
  const lines = [...rows.values()].map((same) => {
    const { resource = '', condition = '' } = same[0] ?? {};
    const actions = [...new Set(same.map(({ action }) => cell(action)))].join(', ');
    const where = resource === 'the stack configuration' ? resource : cell(resource);
    return `| ${actions} | ${where} | ${cell(condition)} |`;
  });
  return ['| actions | on | if |', '| --- | --- | --- |', ...lines].join('\n');
}

test('the page of permissions is what the template says', (context) => {
  const roles = [...rolesIn(stack)].map(
    ([role, rights]) => `## ${role.slice(1, -1).replace(/^Functions/, '')}\n\n${tableOf(rights)}\n`,
  );
  const text = [intro, ...roles].join('\n');
  context.assert.fileSnapshot(text, page, { serializers: [String] });
});
