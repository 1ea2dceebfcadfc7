import { faultsOf, type Fault } from '../errors.ts';
import { apiVersion } from '../model/application.ts';
import { isJsonObject } from '../model/json.ts';
import { parseApplication } from '../source.ts';
import { readYaml } from '../yaml/read-yaml.ts';
import type { FollowersInput } from './followers.ts';

/**
 * Applications in the files of a checkout that follow an image. Templates of charts are no YAML and need not be: only what
 * says that it is an Application is read as one. One that is faulty leaves the others alone.
 */
export function followingApplications(files: ReadonlyMap<string, string>): {
  readonly applications: FollowersInput['applications'];
  readonly faults: readonly Fault[];
} {
  const applications: FollowersInput['applications'][number][] = [];
  const faults: Fault[] = [];
  for (const [file, text] of files) {
    if (!text.includes(apiVersion) || !/\bimages\b/.test(text)) continue;
    try {
      for (const document of readYaml(file, text)) {
        const { value } = document;
        if (!isJsonObject(value) || value['apiVersion'] !== apiVersion || value['kind'] !== 'Application')
          continue;
        const parsed = parseApplication(file, document);
        if ('faults' in parsed) faults.push(...parsed.faults);
        else if (parsed.application.spec.images.length > 0)
          applications.push({ application: parsed.application, file });
      }
    } catch (error) {
      const found = faultsOf(error);
      if (found === undefined) throw error;
      faults.push(...found);
    }
  }
  return { applications, faults };
}
