import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import { parseStackConfig, type StackConfigInput } from '../../../core/contract/config.ts';
import { scopeOf } from '../../../core/contract/discovery.ts';
import { fleetOf } from '../../../core/fleet.ts';
import type { ClusterRegistry } from '../../../core/model/cluster-registry.ts';
import type { EksCluster, EksListing } from '../../../core/ports.ts';
import { updateRegistry } from '../../../core/sweep/update-registry.ts';

const role = 'arn:aws:iam::222222222222:role/trueup';

/** What an account holds, in one line a cluster: `ACCOUNT/REGION/NAME tag=value …`. */
function eks(line: string): EksCluster {
  const [place = '', ...tags] = line.split(' ');
  const [account, region, name = ''] = place.split('/');
  const pairs = tags.map((tag) => tag.split('=') as [string, string]);
  const arn = `arn:aws:eks:${region}:${account}:cluster/${name}`;
  return { name, arn, tags: Object.fromEntries(pairs), version: '1.34', status: 'ACTIVE' };
}

function listing(...lines: readonly string[]): EksListing {
  return { clusters: lines.map(eks), unread: undefined };
}

const here = scopeOf({});
const there = scopeOf({ roleArn: role, region: 'eu-west-1' });

function configOf(yaml: string) {
  const written = load(yaml) as Partial<StackConfigInput>;
  const repositories = [{ name: 'config', url: 'https://git.example/config.git' }];
  return parseStackConfig({ repositories, ...written });
}

/** The discoveries as a person writes them; looks come one after the other, a day apart. */
class Looking {
  #config: ReturnType<typeof parseStackConfig>;
  registry: ClusterRegistry | undefined;
  day = 0;

  constructor(yaml: string) {
    this.#config = configOf(yaml);
  }

  deploy(yaml: string): void {
    this.#config = configOf(yaml);
  }

  look(answers: Readonly<Record<string, EksListing | string>>): this {
    this.day += 1;
    const at = new Date(Date.UTC(2026, 0, this.day)).toISOString();
    this.registry = updateRegistry(this.registry, this.#config, new Map(Object.entries(answers)), at);
    return this;
  }

  /** `NAME labels`, or `NAME: why it is missing`. */
  get served(): readonly string[] {
    return fleetOf(this.#config, this.registry).clusters.map(({ name, labels, found }) => {
      const all = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
      return [name, ...all.sort(), ...(found?.missing === undefined ? [] : [`(${found.missing.why})`])].join(
        ' ',
      );
    });
  }

  get refused(): readonly string[] {
    return Object.entries(this.registry?.refused ?? {}).map(([arn, why]) => `${arn}: ${why}`);
  }

  get isComplete(): boolean {
    return fleetOf(this.#config, this.registry).isComplete;
  }
}

const byTag = `
discovery:
  - tags: { trueup: prod }
    labels: { stage: production }
    labelsFromTags: k8s/
`;

describe('what a discovery finds', () => {
  test('is what has all its tags; labels are those of the configuration, then those of tags', () => {
    const looking = new Looking(byTag).look({
      [here]: listing(
        '111111111111/eu-central-1/Shop_EU trueup=prod k8s/stage=mine k8s/team=a k8s/=x other=b',
        '111111111111/eu-central-1/lab trueup=test',
        '111111111111/eu-central-1/bare',
      ),
    });
    assert.deepEqual(looking.served, ['shop-eu stage=production team=a']);
    assert.ok(looking.isComplete);
  });

  test('tags may have any value, and become labels of other names', () => {
    const looking = new Looking(`
discovery:
  - tags: { trueup: '*' }
    labelsFromTags: { Team: team, Constructor: x }
    namePrefix: eu-
`).look({
      [here]: listing('111111111111/eu-central-1/shop trueup= Team=a', '111111111111/eu-central-1/lab'),
    });
    assert.deepEqual(looking.served, ['eu-shop team=a']);
  });

  test('is followed when its tags change; its name stays', () => {
    const looking = new Looking(byTag)
      .look({ [here]: listing('111111111111/eu-central-1/shop trueup=prod k8s/team=a') })
      .look({ [here]: listing('111111111111/eu-central-1/shop trueup=prod k8s/team=b') });
    assert.deepEqual(looking.served, ['shop stage=production team=b']);
  });

  test('a declared cluster is not found again, by ARN, name or region', () => {
    const found = listing('111111111111/eu-central-1/shop trueup=prod');
    for (const access of [
      '{ type: eks, arn: "arn:aws:eks:eu-central-1:111111111111:cluster/shop" }',
      '{ type: eks, name: shop }',
      '{ type: eks, name: shop, region: eu-central-1 }',
    ]) {
      const looking = new Looking(`clusters: [{ name: declared, access: ${access} }]${byTag}`);
      looking.look({ [here]: found });
      assert.deepEqual([looking.served, looking.refused], [['declared'], []], access);
    }
  });
});

describe('names', () => {
  const two = `
discovery:
  - tags: { trueup: prod }
  - { tags: { trueup: prod }, roleArn: ${role}, region: eu-west-1 }
`;
  const ours = listing('111111111111/eu-central-1/shop trueup=prod');
  const theirs = listing('222222222222/eu-west-1/shop trueup=prod', '222222222222/eu-west-1/lab trueup=prod');

  test('two that come at once with one name are both refused, and told how to be told apart', () => {
    const looking = new Looking(two).look({ [here]: ours, [there]: theirs });
    assert.deepEqual(looking.served, ['lab']);
    assert.deepEqual(looking.refused, [
      'arn:aws:eks:eu-central-1:111111111111:cluster/shop: the name shop is that of arn:aws:eks:eu-west-1:222222222222:cluster/shop; give its discovery a namePrefix, or declare it by its ARN under another name',
      'arn:aws:eks:eu-west-1:222222222222:cluster/shop: the name shop is that of arn:aws:eks:eu-central-1:111111111111:cluster/shop; give its discovery a namePrefix, or declare it by its ARN under another name',
    ]);
    // One of them does not answer: the other does not take the name for that.
    looking.look({ [here]: ours, [there]: 'throttled' });
    assert.deepEqual([looking.served, looking.refused.length], [['lab'], 1]);
    // It is gone: now the name is free.
    looking.look({ [here]: ours, [there]: listing() });
    assert.deepEqual(looking.served, ['lab (gone)', 'shop']);
  });

  test('who has a name keeps it, even while missing', () => {
    const looking = new Looking(two).look({ [here]: ours, [there]: listing() });
    looking.look({ [here]: listing(), [there]: theirs });
    assert.deepEqual(looking.served, ['lab', 'shop (gone)']);
    assert.equal(looking.refused.length, 1);
  });

  test('a name that is none is refused', () => {
    const long = 'x'.repeat(60);
    const looking = new Looking(byTag).look({
      [here]: listing(`111111111111/eu-central-1/${long} trueup=prod`),
    });
    assert.deepEqual(looking.served, []);
    assert.match(looking.refused[0] ?? '', /is no name for a cluster in trueup .*; declare it by its ARN/);
  });
});

describe('what is not found any more', () => {
  const shop = '111111111111/eu-central-1/shop trueup=prod';
  const found = () => new Looking(byTag).look({ [here]: listing(shop) });

  test('an account that does not answer changes nothing, and says why', () => {
    const looking = found().look({ [here]: 'AWS refused eks:ListClusters' });
    assert.deepEqual(looking.served, ['shop stage=production']);
    const [state] = Object.values(looking.registry?.discoveries ?? {});
    assert.deepEqual(state, {
      listed: true,
      failing: { since: '2026-01-02T00:00:00.000Z', reason: 'AWS refused eks:ListClusters' },
    });
    looking.look({ [here]: listing(shop) });
    assert.deepEqual(Object.values(looking.registry?.discoveries ?? {}), [{ listed: true }]);
  });

  test('nor does one that is listed and not described', () => {
    const partial = { clusters: [], unread: { names: ['shop'], reason: 'throttled' } };
    assert.deepEqual(found().look({ [here]: partial }).served, ['shop stage=production']);
  });

  test('absent from a complete answer it is gone, and keeps name and labels; it may come back', () => {
    const looking = found()
      .look({ [here]: listing() })
      .look({ [here]: listing() });
    assert.deepEqual(looking.served, ['shop stage=production (gone)']);
    const [gone] = Object.values(looking.registry?.clusters ?? {});
    assert.equal(gone?.missing?.since, '2026-01-02T00:00:00.000Z');
    assert.deepEqual(looking.look({ [here]: listing(shop) }).served, ['shop stage=production']);
  });

  test('a discovery that is spelled anew finds the same cluster, under its name', () => {
    const looking = found();
    looking.deploy('discovery: [{ tags: { trueup: prod }, region: eu-central-1, namePrefix: eu- }]');
    assert.deepEqual([looking.served, looking.isComplete], [[], false]);
    looking.look({ [scopeOf({ region: 'eu-central-1' })]: listing(shop) });
    assert.deepEqual([looking.served, looking.isComplete], [['shop'], true]);
  });

  test('without its tags it has left, and is not served for that', () => {
    const looking = found().look({ [here]: listing('111111111111/eu-central-1/shop trueup=test') });
    assert.deepEqual(looking.served, ['shop stage=production (left)']);
  });

  test('missing for more than 30 days it is forgotten, with a line about it', () => {
    const looking = found();
    for (let day = 0; day < 31; day += 1) looking.look({ [here]: listing() });
    assert.deepEqual(looking.served, ['shop stage=production (gone)']);
    looking.look({ [here]: listing() });
    assert.deepEqual(looking.served, []);
    assert.deepEqual(looking.registry?.forgotten, [
      {
        name: 'shop',
        arn: 'arn:aws:eks:eu-central-1:111111111111:cluster/shop',
        at: '2026-02-02T00:00:00.000Z',
        by: 'trueup',
        reason: 'it was missing for 30 days',
      },
    ]);
  });

  test('a discovery that never answered is not complete; one more that answers does not make it so', () => {
    const looking = new Looking(`${byTag}  - { tags: { trueup: prod }, roleArn: ${role} }`);
    assert.equal(looking.isComplete, false);
    looking.look({ [here]: listing(), [scopeOf({ roleArn: role })]: 'denied' });
    assert.equal(looking.isComplete, false);
    looking.look({ [here]: 'denied', [scopeOf({ roleArn: role })]: listing() });
    assert.equal(looking.isComplete, true);
  });
});
