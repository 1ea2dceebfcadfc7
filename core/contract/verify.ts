import * as z from 'zod';

const keySource = z.union([
  z.string().min(1),
  z.strictObject({ secret: z.string().min(1).describe('Secrets Manager name of the text') }),
]);

/** Whose signatures the commits of a repository must carry. */
export const verifySchema = z
  .strictObject({
    mode: z
      .enum(['require', 'warn', 'off'])
      .describe(
        'require: a commit without a good signature changes nothing; warn: it is followed, and says so',
      ),
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
    gitsign: z
      .strictObject({
        trustedRoot: keySource.describe(
          'the text of a `trusted_root.json` as Sigstore publishes it: authorities and logs that are trusted',
        ),
        identities: z
          .array(z.strictObject({ issuer: z.string().min(1), identity: z.string().min(1) }))
          .min(1)
          .describe('exactly these: an OIDC issuer, and the e-mail address or URI that it vouched for'),
      })
      .exactOptional(),
  })
  .refine(
    ({ mode, gpgKeys = [], sshKeys = [], gitsign }) =>
      mode === 'off' || gitsign !== undefined || gpgKeys.length + sshKeys.length > 0,
    'names nobody who may sign; list gpgKeys, sshKeys or gitsign',
  );
export type VerifyConfig = z.infer<typeof verifySchema>;
export type KeySource = z.infer<typeof keySource>;
