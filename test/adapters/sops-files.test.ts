import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CreateKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { Decrypter, armor, generateIdentity } from 'age-encryption';
import { KeyedSopsOpener } from '../../adapters/sops-files.ts';
import type { SopsKeys } from '../../adapters/sops-keys.ts';
import { Blocked, Retry, Stop } from '../../core/errors.ts';
import { testAws } from '../aws/test-aws.ts';

/** Files that sops itself encrypted: test/fixtures/sops/make.sh. */

const folder = join(import.meta.dirname, '../fixtures/sops');
const fixture = (name: string): string => readFileSync(join(folder, name), 'utf8');
const first = fixture('first.txt');
const second = fixture('second.txt');

const byAge = (identities: string | undefined): SopsKeys => ({
  age: async () => identities,
  kms: [],
  remedy: 'allow its key',
});

async function valuesOf(text: string, keys = byAge(first)): Promise<readonly unknown[]> {
  const values = await new KeyedSopsOpener(keys).open({ file: 'apps/a.yaml', text }, 'Secret web/a');
  return [...values.values()];
}

const secret = ['aHVudGVyMi10b2tlbg==', 'hunter2-password', 'ten', 'nine', 'several\nlines: of it\n'];
const nested = ['first', 2, true, 'deep', 'third', 'hidden', 'leaf'];
const plain = ['plain text', 42, -7, 9007199254740991, 1.5, 1e-7, 1e21, 'yes', true, false, 'two', 'one'];

const opened: readonly { name: string; identities?: string; values: readonly unknown[] }[] = [
  { name: 'secret.yaml', values: secret },
  { name: 'secret.yaml', identities: second, values: secret },
  { name: 'secret.yaml', identities: `# two\r\n${second}\r\n${first}`, values: secret },
  { name: 'secret.json', values: ['hunter2-password', 'web'] },
  { name: 'mac-only.yaml', values: secret },
  { name: 'partial.yaml', values: ['hunter2-password'] },
  { name: 'values.yaml', values: [...plain, ...nested, 'süß ☕'] },
  { name: 'values-partly.yaml', values: ['plain text', ...nested] },
];

describe('a file of sops opens, with every value of the right type', () => {
  for (const { name, identities, values } of opened) {
    test(`${name}${identities === undefined ? '' : ' with other identities'}`, async () => {
      assert.deepEqual(await valuesOf(fixture(name), byAge(identities ?? first)), values);
    });
  }
});

/** The whole leaf behind a key. */
function leafOf(text: string, key: string): string {
  const found = new RegExp(`${key}: (ENC\\[.*?\\])`).exec(text)?.[1];
  assert.ok(found, `no ${key}`);
  return found;
}

function swapped(text: string, a: string, b: string): string {
  return text.replace(a, '\u0000').replace(b, a).replace('\u0000', b);
}

const flipped = (base64: string) => (base64.startsWith('A') ? `B${base64.slice(1)}` : `A${base64.slice(1)}`);
const altered = (leaf: string, part: string) =>
  leaf.replace(new RegExp(`${part}:([^,\\]]+)`), (_, value: string) => `${part}:${flipped(value)}`);
const mac = /does not match its MAC/;
const yaml = fixture('secret.yaml');
const values = fixture('values-partly.yaml');
const leaf = leafOf(yaml, 'password');

/** `first` and 2 have the same path, and so each opens in the place of the other. */
function withItemsSwapped(): string {
  const [, a = '', b = ''] = /- (ENC\S+type:str\])\n\s+- (ENC\S+type:int\])/.exec(values) ?? [];
  return swapped(values, a, b);
}

const tampered: readonly { what: string; text: string; message: RegExp }[] = [
  {
    what: 'a value',
    text: yaml.replace(leaf, altered(leaf, 'data')),
    message: /stringData\.password does not/,
  },
  {
    what: 'a nonce',
    text: yaml.replace(leaf, altered(leaf, 'iv')),
    message: /stringData\.password does not/,
  },
  { what: 'a tag', text: yaml.replace(leaf, altered(leaf, 'tag')), message: /stringData\.password does not/ },
  {
    what: 'a tag cut short',
    text: yaml.replace(/,tag:[^,]+,type:str\]\n {4}empty/, ',tag:AAAA,type:str]\n    empty'),
    message: /stringData\.password does not/,
  },
  {
    what: 'two leaves swapped',
    text: swapped(yaml, leafOf(yaml, '"10"'), leafOf(yaml, '"9"')),
    message: /stringData\.10 does not/,
  },
  {
    what: 'a leaf under another key',
    text: yaml.replace('    password:', '    admin:'),
    message: /stringData\.admin/,
  },
  {
    what: 'items of a list swapped',
    text: withItemsSwapped(),
    message: mac,
  },
  { what: 'a leaf removed', text: yaml.replace(/ {4}"9":.*\n/, ''), message: mac },
  { what: 'a leaf emptied', text: yaml.replace(leaf, '""'), message: mac },
  { what: 'the order of keys', text: yaml.replace(/( {4}"10":.*\n)( {4}"9":.*\n)/, '$2$1'), message: mac },
  { what: 'a plain value', text: yaml.replace('app: web', 'app: evil'), message: mac },
  { what: 'a plain number', text: values.replace('whole: 42', 'whole: 43'), message: mac },
  {
    what: 'a plain value added',
    text: yaml.replace('type: Opaque', 'type: Opaque\nimmutable: true'),
    message: mac,
  },
  {
    what: 'the MAC',
    text: yaml.replace(leafOf(yaml, 'mac'), altered(leafOf(yaml, 'mac'), 'data')),
    message: mac,
  },
  { what: 'no MAC', text: yaml.replace(/mac: .*/, 'mac: ""'), message: mac },
  { what: 'the time', text: yaml.replace(/lastmodified: "2026/, 'lastmodified: "2027'), message: mac },
  {
    what: 'the scope of the MAC',
    text: yaml.replace('    version:', '    mac_only_encrypted: true\n    version:'),
    message: mac,
  },
  {
    what: 'a value under a MAC of the encrypted alone',
    text: fixture('mac-only.yaml').replace(leafOf(fixture('mac-only.yaml'), 'password'), 'evil'),
    message: mac,
  },
  { what: 'no metadata', text: 'stringData: {a: b}', message: /cannot be read as a file of SOPS/ },
  { what: 'no YAML', text: `${yaml}\n  - [`, message: /cannot be read as a file of SOPS/ },
];

describe('a file that was altered opens with no key, and no message tells a value', () => {
  for (const { what, text, message } of tampered) {
    test(what, async () => {
      await assert.rejects(valuesOf(text), (error: unknown) => {
        assert.ok(error instanceof Stop, String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2|ENC\[/);
        return error.subject === 'Secret web/a';
      });
    });
  }
});

const json = fixture('secret.json');

describe('no key', () => {
  const cases: readonly { what: string; keys: SopsKeys; text?: string; message: RegExp }[] = [
    {
      what: 'of ours is its own',
      keys: byAge(second),
      message: /is for none of our age identities.*; allow its key/,
    },
    { what: 'is configured', keys: byAge(undefined), message: /there are no age identities/ },
    {
      what: 'is an identity',
      keys: byAge('AGE-SECRET-KEY-1HUNTER2'),
      message: /a line that is no age identity/,
    },
    {
      what: 'of KMS is allowed',
      keys: byAge(undefined),
      text: withKms(yaml, { arn: 'arn:aws:kms:eu-west-1:123456789012:key/1', enc: 'AAAA' }),
      message: /KMS key arn:aws:kms:eu-west-1:123456789012:key\/1: is not allowed/,
    },
  ];
  for (const { what, keys, text = json, message } of cases) {
    test(what, async () => {
      await assert.rejects(valuesOf(text, keys), (error: unknown) => {
        assert.ok(error instanceof Blocked, String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2/i);
        return true;
      });
    });
  }

  test('of a stranger, whatever it is', async () => {
    await assert.rejects(valuesOf(json, byAge(await generateIdentity())), Blocked);
  });
});

interface KmsEntry {
  readonly arn: string;
  readonly enc: string;
  readonly context?: string;
}

/** The recipients are not under the MAC: `sops updatekeys` changes them without the values. */
function withKms(text: string, { arn, enc, context }: KmsEntry): string {
  const more = context === undefined ? '' : `\n          context:\n            app: ${context}`;
  const entry = `    kms:\n        - arn: ${arn}\n          created_at: "2026-11-23T00:00:00Z"\n          enc: ${enc}${more}`;
  return text.replace(/ {4}age:\n[^]*?\n {4}encrypted_regex/, `${entry}\n    encrypted_regex`);
}

describe('KMS', async () => {
  const { client: config } = await testAws();
  const kms = new KMSClient(config);
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const arn = KeyMetadata?.Arn ?? '';
  const decrypter = new Decrypter();
  decrypter.addIdentity(first.split('\n')[2] ?? '');
  const [enc = ''] =
    /-----BEGIN AGE[^]*?-----END AGE ENCRYPTED FILE-----/.exec(yaml.replaceAll(/^ +/gm, '')) ?? [];
  const Plaintext = await decrypter.decrypt(armor.decode(enc));
  const EncryptionContext = { app: 'web' };
  const wrapped = await kms.send(new EncryptCommand({ KeyId: arn, Plaintext, EncryptionContext }));
  const entry = { arn, enc: Buffer.from(wrapped.CiphertextBlob ?? []).toString('base64'), context: 'web' };
  const keys = { ...byAge(undefined), kms: [arn], client: () => new KMSClient(config) };

  test('opens with the context that the file names', async () => {
    assert.deepEqual(await valuesOf(withKms(yaml, entry), keys), secret);
    assert.deepEqual(await valuesOf(withKms(yaml, entry), { ...keys, kms: 'any' }), secret);
  });

  test('does not open under another context, and says what KMS said', async () => {
    const { context: _, ...bare } = entry;
    for (const one of [bare, { ...entry, context: 'other' }]) {
      await assert.rejects(valuesOf(withKms(yaml, one), keys), (error: unknown) => {
        assert.ok(error instanceof Blocked, String(error));
        assert.match(error.message, /KMS key arn:\S+: InvalidCiphertextException/);
        return true;
      });
    }
  });

  test('that is away is asked again later', async () => {
    const away = () => new KMSClient({ ...config, endpoint: 'http://127.0.0.1:9', maxAttempts: 1 });
    await assert.rejects(valuesOf(withKms(yaml, entry), { ...keys, client: away }), Retry);
  });
});
