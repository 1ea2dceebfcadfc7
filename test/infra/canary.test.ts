import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Match } from 'aws-cdk-lib/assertions';
import { ofType, sample, synthesize } from './synthesized.ts';

const canary = { cluster: 'staging', namespace: 'trueup-canary' };
const stack = synthesize({ ...sample, canary }, {}, { validate: true });
const without = synthesize();
after(() => {
  stack[Symbol.dispose]();
  without[Symbol.dispose]();
});

describe('a canary', () => {
  it('is asked for twice a day, by way of the queue of the function that renders', () => {
    stack.template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(12 hours)',
      Target: Match.objectLike({ Input: '{"version":1,"poll":"canary"}' }),
    });
  });

  it('rings when nothing was heard of it for a day', () => {
    stack.template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'trueup-acme-canary',
      MetricName: 'CanarySeconds',
      Period: 86_400,
      EvaluationPeriods: 1,
      Threshold: 86_400,
      TreatMissingData: 'breaching',
    });
  });

  it('is not there unless it is configured', () => {
    const schedules = ofType(without.resources, 'AWS::Scheduler::Schedule');
    assert.equal(ofType(stack.resources, 'AWS::Scheduler::Schedule').length, schedules.length + 1);
    assert.doesNotMatch(JSON.stringify(without.resources), /canary/i);
  });
});
