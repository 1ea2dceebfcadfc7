import * as z from 'zod';

const keySource = z.union([
  z.string().min(1),
  z.strictObject({ secret: z.string().min(1).describe('Secrets Manager name of the text') }),
]);

const keyless = z.strictObject({
  trustedRoot: keySource.describe(
    'the text of a `trusted_root.json` as Sigstore publishes it: authorities and logs that are trusted',
  ),
  identities: z
    .array(z.strictObject({ issuer: z.string().min(1), identity: z.string().min(1) }))
    .min(1)
    .describe('exactly these: an OIDC issuer, and the e-mail address or URI that it vouched for'),
});

const cosignSchema = z
  .strictObject({
    keys: z
      .array(keySource)
      .min(1)
      .exactOptional()
      .describe('public keys as `cosign public-key` prints them (PEM), inline or by the name of a secret'),
    keyless: keyless.exactOptional(),
  })
  .refine(
    ({ keys, keyless: identities }) => keys !== undefined || identities !== undefined,
    'needs keys or keyless',
  );

/** Whose signatures the commits or artifacts of a repository must carry. */
export const verifySchema = z
  .strictObject({
    mode: z
      .enum(['require', 'warn', 'off'])
      .describe('require: what has no good signature changes nothing; warn: it is followed, and says so'),
    gpgKeys: z
      .array(keySource)
      .exactOptional()
      .describe('armored public keys of those who may sign, inline or by the name of a secret'),
    sshKeys: z
      .array(keySource)
      .exactOptional()
      .describe(
        'lines of an allowed signers file (`ada@example.com ssh-ed25519 AAAA…`), inline or by the name of a secret',
      ),
    gitsign: keyless.exactOptional(),
    cosign: cosignSchema.exactOptional().describe('of artifacts in an OCI registry'),
  })
  .refine(
    ({ mode, gpgKeys = [], sshKeys = [], gitsign, cosign }) =>
      mode === 'off' || (gitsign ?? cosign) !== undefined || gpgKeys.length + sshKeys.length > 0,
    'names nobody who may sign; list gpgKeys, sshKeys or gitsign, or cosign for an artifact',
  );
export type VerifyConfig = z.infer<typeof verifySchema>;
export type KeySource = z.infer<typeof keySource>;
