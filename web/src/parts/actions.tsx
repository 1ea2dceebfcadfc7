import { Button, Group } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { Action, TargetDetail } from '../../../core/api/contract.ts';
import { ActionDialog, type ActionForm, type Field } from './action-dialog.tsx';
import { nameOf } from './object-name.ts';

interface Props {
  readonly detail: TargetDetail;
  readonly path: string;
}

const reason: Field = { kind: 'text', name: 'reason', label: 'Why' };
const until: Field = { kind: 'time', name: 'until', label: 'Until (empty: until somebody ends it)' };

const restarted = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

const forms: Readonly<Record<Action, (detail: TargetDetail) => ActionForm>> = {
  sync: ({ row }) => ({
    name: 'Sync',
    says: `The cluster is made to match commit ${row.commit.sha.slice(0, 7)}: drift is overwritten, whatever the mode says.`,
    fields: [],
  }),
  heal: ({ open }) => ({
    name: 'Heal',
    says: 'What drifted is put back, where modes and rules say that it is to be healed. No new commit is applied by this.',
    items: open.map(({ key }) => nameOf(key)),
    fields: [],
  }),
  cancel: () => ({
    name: 'Cancel run',
    says: 'What is under way stops before its next step. What was done stays, and the rest waits for a sync or a commit.',
    fields: [],
  }),
  restart: ({ objects }) => ({
    name: 'Restart',
    says: 'The pods of these are replaced, as their strategies say. Nothing else changes, and it is no drift.',
    items: objects
      .filter(({ group, kind }) => group === 'apps' && restarted.has(kind))
      .map(({ key }) => nameOf(key)),
    fields: [],
  }),
  rollback: (detail) => ({
    name: 'Roll back',
    says: 'What it goes back to is applied again, and stays: commits are examined and not followed until the rollback is lifted.',
    fields: [
      { kind: 'choice', name: 'to', label: 'To', none: 'what was here before', options: earlier(detail) },
      reason,
      until,
    ],
  }),
  lift: () => ({
    name: 'Lift rollback',
    says: 'Commits are followed again: what the newest says is applied now.',
    fields: [],
  }),
  suspend: () => ({
    name: 'Suspend',
    says: 'Nothing is written here, no push and no heal, until somebody resumes it or its time is over.',
    fields: [reason, until],
  }),
  resume: () => ({ name: 'Resume', says: 'What waits is applied now.', fields: [] }),
  'confirm-prune': ({ confirm = 0, objects }) => ({
    name: 'Confirm prune',
    says: `${confirm} objects are deleted from the cluster. One more than that stops again. They are among these:`,
    items: objects.filter(({ kept }) => kept !== undefined).map(({ key }) => nameOf(key)),
    fields: [],
    fixed: { objects: confirm },
  }),
  'accept-drift': ({ open }) => ({
    name: 'Accept drift',
    says: 'The live values of this object are taken as they are, and reported no more.',
    fields: [
      {
        kind: 'choice',
        name: 'record',
        label: 'Object',
        options: open.map(({ record, key }) => ({ value: record, label: nameOf(key) })),
      },
      reason,
    ],
  }),
};

/** What this person may do here. Each asks once, and says what it will do. */
export function Actions({ detail, path }: Props): ReactNode {
  const [chosen, setChosen] = useState<Action>();
  const form = chosen === undefined ? undefined : forms[chosen](detail);
  const { application, cluster } = detail.row;
  return (
    <Group gap="xs">
      {detail.actions.filter(isKnown).map((name) => (
        <Button
          key={name}
          size="xs"
          variant={name === 'sync' ? 'filled' : 'default'}
          onClick={() => {
            setChosen(name);
          }}
        >
          {forms[name](detail).name}
        </Button>
      ))}
      {chosen !== undefined && form !== undefined && (
        <ActionDialog
          form={form}
          title={`${form.name}: ${application} on ${cluster}`}
          path={`${path}/${chosen}`}
          close={() => {
            setChosen(undefined);
          }}
        />
      )}
    </Group>
  );
}

/** A page that was loaded before the server was upgraded has no words for what is new. */
function isKnown(name: string): name is Action {
  return name in forms;
}

/** What was applied here and is not now, each snapshot once, newest first. */
function earlier({ runs, applied }: TargetDetail): { value: string; label: string }[] {
  const there = runs.filter(
    ({ outcome, snapshot }) => outcome === 'applied' && snapshot !== applied?.snapshot,
  );
  const labels = there.map(
    ({ snapshot, commit }) => [snapshot, `${commit.sha.slice(0, 7)} ${commit.subject}`] as const,
  );
  return [...new Map(labels.toReversed())].toReversed().map(([value, label]) => ({ value, label }));
}
