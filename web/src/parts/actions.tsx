import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { TargetDetail } from '../../../core/api/contract.ts';
import { act, Refused } from '../ask.ts';

interface Props {
  readonly detail: TargetDetail;
  readonly path: string;
}

interface Ask {
  readonly name: string;
  /** What it will do, before it is done. */
  readonly says: (detail: TargetDetail) => string;
  readonly wantsReason: boolean;
  readonly body: (detail: TargetDetail, reason: string, until: string) => object;
  readonly wantsEnd?: true;
}

const asks: Readonly<Record<string, Ask>> = {
  sync: {
    name: 'Sync',
    says: ({ row }) =>
      `The cluster is made to match commit ${row.commit.sha.slice(0, 7)}: drift is overwritten, whatever the mode says.`,
    wantsReason: false,
    body: () => ({}),
  },
  rollback: {
    name: 'Roll back',
    says: () =>
      'What was applied before what is here now is applied again, and stays: commits are examined and not followed until the rollback is lifted.',
    wantsReason: true,
    body: (_, reason, until) => ({ reason, ...(until !== '' && { until: new Date(until).toISOString() }) }),
    wantsEnd: true,
  },
  lift: {
    name: 'Lift rollback',
    says: () => 'Commits are followed again: what the newest says is applied now.',
    wantsReason: false,
    body: () => ({}),
  },
  suspend: {
    name: 'Suspend',
    says: () =>
      'Nothing is written here, no push and no heal, until somebody resumes it or its time is over.',
    wantsReason: true,
    body: (_, reason, until) => ({ reason, ...(until !== '' && { until: new Date(until).toISOString() }) }),
    wantsEnd: true,
  },
  resume: {
    name: 'Resume',
    says: () => 'What waits is applied now.',
    wantsReason: false,
    body: () => ({}),
  },
  'confirm-prune': {
    name: 'Confirm prune',
    says: ({ confirm = 0 }) =>
      `${confirm} objects are deleted from the cluster. One more than that stops again.`,
    wantsReason: false,
    body: ({ confirm = 0 }) => ({ objects: confirm }),
  },
  'accept-drift': {
    name: 'Accept drift',
    says: ({ open }) =>
      `The live values of ${open[0]?.key ?? 'the object'} are taken as they are, and reported no more.`,
    wantsReason: true,
    body: ({ open }, reason) => ({ record: open[0]?.record ?? '', reason }),
  },
};

/** What this person may do here. Each asks once, and says what it will do. */
export function Actions({ detail, path }: Props): ReactNode {
  const [chosen, setChosen] = useState<string>();
  const ask = chosen === undefined ? undefined : asks[chosen];
  return (
    <Group gap="xs">
      {detail.actions.map((name) => (
        <Button
          key={name}
          size="xs"
          variant={name === 'sync' ? 'filled' : 'default'}
          onClick={() => {
            setChosen(name);
          }}
        >
          {asks[name]?.name ?? name}
        </Button>
      ))}
      {chosen !== undefined && ask !== undefined && (
        <Confirm
          ask={ask}
          detail={detail}
          place={`${path}/${chosen}`}
          close={() => {
            setChosen(undefined);
          }}
        />
      )}
    </Group>
  );
}

interface ConfirmProps {
  readonly ask: Ask;
  readonly detail: TargetDetail;
  readonly place: string;
  readonly close: () => void;
}

function Confirm({ ask, detail, place, close }: ConfirmProps): ReactNode {
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const queries = useQueryClient();
  const doing = useMutation({
    mutationFn: async () => act(place, ask.body(detail, reason, until)),
    onSuccess: async () => queries.invalidateQueries(),
  });
  const { row } = detail;
  return (
    <Modal opened onClose={close} title={`${ask.name}: ${row.application} on ${row.cluster}`}>
      <Stack gap="sm">
        <Text size="sm">{ask.says(detail)}</Text>
        {ask.wantsReason && (
          <TextInput
            label="Why"
            required
            value={reason}
            onChange={(event) => {
              setReason(event.currentTarget.value);
            }}
          />
        )}
        {ask.wantsEnd === true && (
          <TextInput
            type="datetime-local"
            label="Until (empty: until somebody ends it)"
            value={until}
            onChange={(event) => {
              setUntil(event.currentTarget.value);
            }}
          />
        )}
        {doing.error !== null && (
          <Alert color="red" role="alert" title={doing.error.message}>
            {doing.error instanceof Refused
              ? doing.error.problem.detail
              : 'It may not have been done: look first.'}
          </Alert>
        )}
        {doing.data !== undefined && (
          <Alert color="green" role="status">
            {doing.data.done}
          </Alert>
        )}
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {doing.data === undefined ? 'Cancel' : 'Close'}
          </Button>
          {doing.data === undefined && (
            <Button
              loading={doing.isPending}
              disabled={ask.wantsReason && reason.trim() === ''}
              onClick={() => {
                doing.mutate();
              }}
            >
              {ask.name}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
