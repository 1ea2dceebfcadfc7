import { judged, type Finding, type Seen } from './finding.ts';

export interface AlarmFacts {
  readonly alarms: Seen<
    readonly { readonly name: string; readonly state: string; readonly description: string }[]
  >;
  /** Confirmed subscriptions of the alarm topic, and those that nobody confirmed. */
  readonly subscriptions: Seen<{ readonly confirmed: number; readonly pending: number }>;
}

/** What is wrong by the alarms themselves, and whether anybody hears them. */
export function judgeAlarms({ alarms, subscriptions }: AlarmFacts): readonly Finding[] {
  return [
    ...judged('alarms', 'the alarms', alarms, (all): Finding[] => {
      const ringing = all.filter(({ state }) => state === 'ALARM');
      if (all.length === 0)
        return [
          { area: 'alarms', level: 'fail', what: 'there are no alarms', todo: 'deploy the stack again' },
        ];
      if (ringing.length === 0)
        return [{ area: 'alarms', level: 'ok', what: `none of ${all.length} alarms rings` }];
      return ringing.map(({ name, description }) => ({
        area: 'alarms',
        level: 'warn',
        what: `alarm ${name} rings`,
        todo: description,
      }));
    }),
    ...judged('alarms', 'the alarm topic', subscriptions, ({ confirmed, pending }): Finding[] =>
      confirmed > 0
        ? [{ area: 'alarms', level: 'ok', what: `${confirmed} subscriptions hear the alarms` }]
        : [
            {
              area: 'alarms',
              level: 'warn',
              what: `nobody hears the alarms${pending > 0 ? `: ${pending} subscriptions are not confirmed` : ''}`,
              todo: 'subscribe an address with `aws sns subscribe --topic-arn` and the output AlarmTopicArn, and confirm it',
            },
          ],
    ),
  ];
}
