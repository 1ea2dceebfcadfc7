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
  })
  .refine(
    ({ mode, gpgKeys = [], sshKeys = [] }) => mode === 'off' || gpgKeys.length + sshKeys.length > 0,
    'names nobody who may sign; list gpgKeys or sshKeys',
  );
export type VerifyConfig = z.infer<typeof verifySchema>;
