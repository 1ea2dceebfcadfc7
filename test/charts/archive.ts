import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** A member of an archive as it is written, sound or not. */
export interface Member {
  readonly path: string;
  readonly content?: string | Buffer;
  /** `0` a file, `1` and `2` links, `3` a device, `5` a folder. */
  readonly type?: string;
  readonly link?: string;
}

/** A gzipped tar archive of anything, so that tests can write what no packer would. */
export function archiveOf(members: readonly Member[]): Buffer {
  const blocks = members.flatMap(({ path, content = '', type = '0', link = '' }) => {
    const body = Buffer.from(content);
    const padding = Buffer.alloc((512 - (body.length % 512)) % 512);
    return [headerOf(path, body.length, type, link), body, padding];
  });
  // Fast, since one of them is a bomb.
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]), { level: 1 });
}

/** A chart as `helm package` writes it: all below one folder of its name. */
export function chartArchive(
  name: string,
  version: string,
  files: Readonly<Record<string, string>> = {},
): Buffer {
  const chart = `apiVersion: v2\nname: ${name}\nversion: ${version}\n`;
  const template = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {version: "${version}"}\n`;
  const all = { 'Chart.yaml': chart, 'templates/a.yaml': template, ...files };
  return archiveOf(Object.entries(all).map(([path, content]) => ({ path: `${name}/${path}`, content })));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function headerOf(path: string, size: number, type: string, link: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
