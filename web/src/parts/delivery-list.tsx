import { Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { DeliveryRow } from '../../../core/api/contract-installation.ts';
import { ask } from '../ask.ts';
import { ActionDialog, type ActionForm } from './action-dialog.tsx';
import { Ago } from './ago.tsx';
import { Failed } from './failed.tsx';
import { Waiting } from './waiting.tsx';

const tones = { claimed: 'var(--warn)', published: 'var(--good)', ignored: 'var(--quiet)' } as const;

/** What Git hosts and registries told, and what came of it; what failed can be read again. */
export function DeliveryList(): ReactNode {
  const [chosen, setChosen] = useState<DeliveryRow>();
  const { data, error } = useQuery({
    queryKey: ['deliveries'],
    queryFn: ({ signal }) => ask<DeliveryRow[]>('deliveries', {}, signal),
  });
  if (data === undefined)
    return error === null ? <Waiting /> : <Failed error={error} what="the deliveries" />;
  if (data.length === 0) {
    return <Text size="sm">None in the last days, or none for you: they are of no project.</Text>;
  }
  return (
    <>
      <div role="list" aria-label="deliveries">
        {data.map((delivery) => (
          <Delivery
            key={`${delivery.provider}/${delivery.id}`}
            delivery={delivery}
            choose={() => {
              setChosen(delivery);
            }}
          />
        ))}
      </div>
      {chosen !== undefined && (
        <ActionDialog
          form={replayOf(chosen)}
          title={`Read again: ${chosen.provider} ${chosen.event}`}
          path={`deliveries/${encodeURIComponent(chosen.provider)}/${encodeURIComponent(chosen.id)}/replay`}
          close={() => {
            setChosen(undefined);
          }}
        />
      )}
    </>
  );
}

interface DeliveryProps {
  readonly delivery: DeliveryRow;
  readonly choose: () => void;
}

function Delivery({ delivery, choose }: DeliveryProps): ReactNode {
  const { id, provider, event, receivedAt, what, state, told, replay } = delivery;
  return (
    <Group role="listitem" className="line" gap="md" wrap="nowrap" align="start">
      <Text size="sm" w={56} style={{ flexShrink: 0 }}>
        <Ago at={receivedAt} />
      </Text>
      <div style={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}>
        <Text size="sm" title={id}>
          {`${provider} ${event} `}
          <Text component="span" size="sm" c="dimmed">
            {what}
          </Text>
        </Text>
        <Text size="sm">
          <Text component="span" size="sm" c={tones[state]}>
            {state}
          </Text>{' '}
          {told}
        </Text>
      </div>
      {replay && (
        <Button size="compact-xs" variant="default" aria-label={`Read again: ${id}`} onClick={choose}>
          Read again
        </Button>
      )}
    </Group>
  );
}

function replayOf({ what, told }: DeliveryRow): ActionForm {
  return {
    name: 'Read again',
    says: 'The body that was kept is read again, with the configuration of today, and what it tells goes on as if it came now. A push ends at the head of its branch, so that an old one does no harm.',
    items: [what, told].filter((each) => each !== ''),
    fields: [],
  };
}
