import type { RepositoryConfig } from '../core/contract/config.ts';
import { Blocked, messageOf } from '../core/errors.ts';
import type { Secrets } from '../core/ports.ts';
import type { NewCommit } from '../core/write-ports.ts';

/**
 * The text of a commit object, signed where a key is named. Put together here, since `git commit-tree -S` would need a
 * program that signs and a home for its keys. Blocked when the key cannot be used; nothing of it is ever quoted.
 */
export async function commitText(
  repository: Pick<RepositoryConfig, 'name'>,
  tree: string,
  commit: NewCommit,
  secrets: Secrets,
): Promise<string> {
  const { parent, author, at, message, signingKeySecret } = commit;
  const who = `${author.name} <${author.email}> ${Math.floor(at / 1000)} +0000`;
  const head = [`tree ${tree}`, `parent ${parent}`, `author ${who}`, `committer ${who}`];
  const body = `${message.trimEnd()}\n`;
  if (signingKeySecret === undefined) return `${head.join('\n')}\n\n${body}`;
  const unsigned = `${head.join('\n')}\n\n${body}`;
  const { current } = await secrets.get(signingKeySecret);
  const signature = await sign(unsigned, current).catch((cause: unknown) => {
    const subject = `secret ${signingKeySecret}`;
    const why = messageOf(cause).slice(0, 100);
    const advice = 'put an armored OpenPGP private key without passphrase into it';
    throw new Blocked({
      subject,
      message: `signs no commit of repository ${repository.name} (${why}); ${advice}`,
    });
  });
  // A header goes on over several lines that each begin with a space.
  const header = `gpgsig ${signature.trimEnd().replaceAll('\n', '\n ')}`;
  return `${[...head, header].join('\n')}\n\n${body}`;
}

async function sign(text: string, armoredKey: string): Promise<string> {
  const { createMessage, readPrivateKey, sign: signMessage } = await import('openpgp');
  const signingKeys = await readPrivateKey({ armoredKey });
  const message = await createMessage({ binary: new TextEncoder().encode(text) });
  const armored = await signMessage({ message, signingKeys, detached: true, format: 'armored' });
  return armored.replaceAll('\r\n', '\n');
}
