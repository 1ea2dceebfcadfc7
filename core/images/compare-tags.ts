import { RE2JS } from 're2js';
import semver from 'semver';
import { Stop, messageOf } from '../errors.ts';
import type { ImagePolicy } from '../model/image-policy.ts';

type Following = Pick<ImagePolicy, 'policy' | 'filter'>;

/** What is compared of a tag; undefined for a tag that the policy does not follow. Throws Stop for a faulty policy. */
function followed(following: Following, tag: string, subject: string): string | number | undefined {
  const { policy } = following;
  const word = extracted(following, tag, subject);
  if (word === undefined) return undefined;
  if (policy.semver !== undefined) {
    const { range } = policy.semver;
    if (semver.validRange(range) === null) {
      throw new Stop({
        subject,
        message: `"${range}" is no range of versions; write one such as ">=1.2 <2"`,
      });
    }
    const version = semver.parse(word, { loose: false }) ?? undefined;
    return version !== undefined && semver.satisfies(version, range) ? version.version : undefined;
  }
  if (policy.numerical === undefined) return word;
  return /^[0-9]+(?:\.[0-9]+)?$/.test(word) ? Number(word) : undefined;
}

function extracted({ filter }: Following, tag: string, subject: string): string | undefined {
  if (filter === undefined) return tag;
  let matcher;
  try {
    matcher = RE2JS.compile(filter.pattern).matcher(tag);
  } catch (error) {
    const message = `"${filter.pattern}" is no regular expression: ${messageOf(error)}`;
    throw new Stop({ subject, message });
  }
  if (!matcher.find()) return undefined;
  if (filter.extract === undefined) return tag;
  return filter.extract.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    const group = braced ?? bare ?? '';
    try {
      return matcher.group(/^[0-9]+$/.test(group) ? Number(group) : group) ?? '';
    } catch {
      const message = `extract names the group ${group}, which "${filter.pattern}" has not`;
      throw new Stop({ subject, message });
    }
  });
}

export function isFollowed(following: Following, tag: string, subject: string): boolean {
  return followed(following, tag, subject) !== undefined;
}

/**
 * Whether a tag is to replace another by a policy: it is followed, and newer; or what stands there is not followed at all,
 * and anything that is goes before it. Of `newest` the one just pushed is the newer.
 */
export function replaces(following: Following, tag: string, current: string, subject: string): boolean {
  const [next, before] = [followed(following, tag, subject), followed(following, current, subject)];
  if (next === undefined || tag === current) return false;
  if (before === undefined) return true;
  const { semver: range, numerical, alphabetical } = following.policy;
  if (range !== undefined) return semver.gt(String(next), String(before));
  const order = (numerical ?? alphabetical)?.order;
  if (order === undefined) return true;
  return order === 'asc' ? next > before : next < before;
}
