import { Range, SemVer } from 'semver';
import { Stop } from '../core/errors.ts';

/**
 * The newest of the versions that a version or range allows, spelled as it is there. Ranges as Helm reads them: a comma
 * is an and, and a pre-release counts only where the range names one. Throws Stop when there is none.
 */
export function pickVersion(wanted: string, versions: readonly string[], subject: string): string {
  if (versions.includes(wanted)) return wanted;
  const isPrerelease = /[0-9xX*]-[0-9A-Za-z]/.test(wanted);
  const range = parseRange(wanted.replaceAll(',', ' '), isPrerelease);
  if (range === undefined) {
    throw new Stop({
      subject,
      message: `"${wanted}" is neither a version nor a range such as 6.x or ">=6.1 <7"`,
    });
  }
  const [newest] = versions
    .flatMap((version) => parseVersion(version) ?? [])
    .filter(({ version }) => range.test(version))
    .sort((a, b) => b.version.compare(a.version));
  if (newest !== undefined) return newest.spelled;
  const some = versions.slice(0, 5).join(', ');
  const message = `has no version that ${wanted} allows; it has ${some || 'none at all'}${versions.length > 5 ? ', …' : ''}`;
  throw new Stop({ subject, message });
}

function parseRange(text: string, includePrerelease: boolean): Range | undefined {
  try {
    return new Range(text, { includePrerelease });
  } catch {
    return undefined;
  }
}

function parseVersion(spelled: string): { readonly spelled: string; readonly version: SemVer } | undefined {
  try {
    return { spelled, version: new SemVer(spelled) };
  } catch {
    return undefined;
  }
}
