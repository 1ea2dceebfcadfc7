import { isMap, parseDocument, type Document } from 'yaml';
import { Stop } from '../core/errors.ts';
import type { Json } from '../core/model/json.ts';
import { sopsMetadataSchema, type SopsFile, type SopsMetadata } from '../core/model/sops.ts';
import type { SopsOpener } from '../core/ports.ts';
import { AlteredLeaf, isMac, openTree } from './sops-cipher.ts';
import { dataKeyOf, type SopsKeys } from './sops-keys.ts';

/** Opens files by KMS and age. Nothing is remembered: a grant that is taken back holds from the next check on. */
export class KeyedSopsOpener implements SopsOpener {
  readonly #keys: SopsKeys;

  constructor(keys: SopsKeys) {
    this.#keys = keys;
  }

  async open({ file, text }: SopsFile, subject: string): Promise<ReadonlyMap<string, Json>> {
    // Order, and keys that look like numbers, as they stand: JavaScript objects would sort these.
    const document = parseDocument(text, { intAsBigInt: true, logLevel: 'silent' });
    const root = document.contents;
    const metadata = metadataOf(document);
    if (document.errors.length > 0 || root === null || metadata === undefined) {
      throw new Stop({ subject, message: 'cannot be read as a file of SOPS; encrypt it again' });
    }
    const key = await dataKeyOf(subject, metadata, this.#keys);
    try {
      const { values, mac } = openTree(root, key, metadata.mac_only_encrypted === true);
      if (isMac(key, metadata, mac)) return values;
    } catch (error) {
      if (!(error instanceof AlteredLeaf)) throw error;
      const message = `${error.path.join('.')} does not decrypt: it was altered, or moved here from elsewhere; encrypt it with \`sops edit ${file}\``;
      throw new Stop({ subject, message });
    }
    const message =
      'does not match its MAC: a value was changed, added, removed or moved without sops; undo that, or check every value and encrypt it again';
    throw new Stop({ subject, message });
  }
}

function metadataOf(document: Document): SopsMetadata | undefined {
  const { contents } = document;
  const block: unknown = isMap(contents) ? contents.get('sops', true) : undefined;
  if (!isMap(block)) return undefined;
  try {
    return sopsMetadataSchema.safeParse(block.toJS(document)).data;
  } catch {
    // Aliases beyond measure, or of nothing.
    return undefined;
  }
}
