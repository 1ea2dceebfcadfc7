import { Alert, Button, Group, List, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { act, Refused } from '../ask.ts';
import { useFocusBack } from './focus-back.ts';

/** What a person is asked for before an action, by the name that it has in the body. */
export type Field =
  | { readonly kind: 'text'; readonly name: string; readonly label: string }
  | { readonly kind: 'time'; readonly name: string; readonly label: string }
  | {
      readonly kind: 'choice';
      readonly name: string;
      readonly label: string;
      /** Absent: something must be chosen, and the first is. */
      readonly none?: string;
      readonly options: readonly { readonly value: string; readonly label: string }[];
    };

export interface ActionForm {
  /** On its button. */
  readonly name: string;
  /** What it will do, before it is done. */
  readonly says: string;
  /** What it will be done to, where that is a list. */
  readonly items?: readonly string[];
  readonly fields: readonly Field[];
  /** Members of the body besides the fields. */
  readonly fixed?: object;
}

interface Props {
  readonly form: ActionForm;
  readonly title: string;
  /** Where it is asked for, below the API. */
  readonly path: string;
  readonly close: () => void;
}

/** Asks once, says what will be done, does it, and tells what came of it. */
export function ActionDialog({
  form: { name, says, items = [], fields, fixed },
  title,
  path,
  close,
}: Props): ReactNode {
  useFocusBack();
  const [given, setGiven] = useState<Readonly<Record<string, string>>>(() => firstValues(fields));
  const queries = useQueryClient();
  const doing = useMutation({
    mutationFn: async () => act(path, { ...fixed, ...bodyOf(fields, given) }),
    onSuccess: async () => queries.invalidateQueries(),
  });
  const isDone = doing.data !== undefined;
  const lacks = fields.some((field) => field.kind === 'text' && (given[field.name] ?? '').trim() === '');
  return (
    <Modal opened onClose={close} title={title}>
      <Stack gap="sm">
        <Text size="sm">{says}</Text>
        {items.length > 0 && (
          <List size="sm">
            {items.map((item) => (
              <List.Item key={item}>{item}</List.Item>
            ))}
          </List>
        )}
        {!isDone &&
          fields.map((field) => (
            <Ask
              key={field.name}
              field={field}
              value={given[field.name] ?? ''}
              change={(value) => {
                setGiven({ ...given, [field.name]: value });
              }}
            />
          ))}
        {doing.error !== null && (
          <Alert color="red" role="alert" title={doing.error.message}>
            {doing.error instanceof Refused
              ? doing.error.problem.detail
              : 'It may not have been done: look first.'}
          </Alert>
        )}
        {isDone && (
          <Alert color="green" role="status" style={{ overflowWrap: 'anywhere' }}>
            {doing.data.done}
          </Alert>
        )}
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {isDone ? 'Close' : 'Cancel'}
          </Button>
          {!isDone && (
            <Button
              loading={doing.isPending}
              disabled={lacks}
              onClick={() => {
                doing.mutate();
              }}
            >
              {name}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

interface AskProps {
  readonly field: Field;
  readonly value: string;
  readonly change: (value: string) => void;
}

function Ask({ field, value, change }: AskProps): ReactNode {
  if (field.kind === 'choice') {
    return (
      <Select
        label={field.label}
        data={[...field.options]}
        value={value === '' ? null : value}
        placeholder={field.none ?? ''}
        clearable={field.none !== undefined}
        allowDeselect={field.none !== undefined}
        onChange={(chosen) => {
          change(chosen ?? '');
        }}
      />
    );
  }
  return (
    <TextInput
      type={field.kind === 'time' ? 'datetime-local' : 'text'}
      label={field.label}
      required={field.kind === 'text'}
      {...(field.kind === 'time' && { max: '9999-12-31T23:59' })}
      {...(field.kind === 'text' && { maxLength: 300, 'data-autofocus': true })}
      value={value}
      onChange={(event) => {
        change(event.currentTarget.value);
      }}
    />
  );
}

function firstValues(fields: readonly Field[]): Readonly<Record<string, string>> {
  const chosen = fields.flatMap((field) =>
    field.kind === 'choice' && field.none === undefined ? [[field.name, field.options[0]?.value ?? '']] : [],
  );
  return Object.fromEntries(chosen) as Readonly<Record<string, string>>;
}

/** What was left empty is not in the body: the API has its own default. */
function bodyOf(fields: readonly Field[], given: Readonly<Record<string, string>>): object {
  const members = fields.map(({ name, kind }) => {
    const value = (given[name] ?? '').trim();
    return [name, kind === 'time' && value !== '' ? new Date(value).toISOString() : value];
  });
  return Object.fromEntries(members.filter(([, value]) => value !== ''));
}
