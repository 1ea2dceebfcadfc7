import type { Application } from '../model/application.ts';
import { policyName, type ImagePolicy } from '../model/image-policy.ts';
import { scalarsOf } from '../yaml/scalars.ts';
import { fluxPolicies, mayHoldPolicies } from './flux-policies.ts';
import {
  applicationPaths,
  helmPlaces,
  kustomizePlaces,
  markedPlaces,
  type ImagePlace,
  type ScannedFile,
} from './image-places.ts';

/** An Application of a checkout, and where it stands. */
interface FollowingApplication {
  readonly application: Application;
  readonly file: string;
}

/** Files of a commit by path, as far as images may be named in them, and the Applications among them. */
export interface FollowersInput {
  readonly files: ReadonlyMap<string, string>;
  readonly applications: readonly FollowingApplication[];
}

export type Following = Pick<ImagePolicy, 'image' | 'policy' | 'filter' | 'digest'>;

/** A policy of the checkout. */
export interface Follower {
  readonly name: string;
  readonly application?: string;
  readonly following: Following;
  readonly places: () => readonly ImagePlace[];
  /** What to do where the image stands nowhere. */
  readonly advice: string;
}

/** Every policy of a checkout, ours and those of Flux. */
export function followersIn(input: FollowersInput): readonly Follower[] {
  const scanned = scanner(input.files);
  return [...ownFollowers(input, scanned), ...fluxFollowers(input.files, scanned)];
}

function ownFollowers(
  { applications, files }: FollowersInput,
  scanned: (file: string) => ScannedFile | undefined,
): readonly Follower[] {
  return applications.flatMap(({ application, file }) =>
    application.spec.images.map((policy): Follower => {
      const name = `${application.metadata.name}:${policyName(policy)}`;
      const places = (): readonly ImagePlace[] => {
        const own = scanned(file);
        const document = documentOf(own, application);
        const { path } = application.spec.source;
        const folder = path === '.' ? '' : `${path}/`;
        const kustomization = kustomizationNames.map((each) => scanned(`${folder}${each}`));
        return [
          ...kustomization.flatMap((each) => each ?? []).flatMap((each) => kustomizePlaces(each, policy)),
          ...(own === undefined ? [] : kustomizePlaces(own, policy, applicationPaths.kustomize, document)),
          ...policy.helm.flatMap((values) => {
            if (values.file === undefined)
              return own === undefined ? [] : helmPlaces(own, values, applicationPaths.values, document);
            const there = scanned(`${folder}${values.file}`);
            return there === undefined ? [] : helmPlaces(there, values);
          }),
          ...marked(files, scanned, name),
        ];
      };
      const advice = `put it into images of the kustomization in ${application.spec.source.path}, name its Helm values, or mark it with # {"$imagepolicy": "${name}"}`;
      return { name, application: application.metadata.name, following: policy, places, advice };
    }),
  );
}

function fluxFollowers(
  files: FollowersInput['files'],
  scanned: (file: string) => ScannedFile | undefined,
): readonly Follower[] {
  const holding = [...files].flatMap(([file, text]) => (mayHoldPolicies(text) ? [{ file, text }] : []));
  return fluxPolicies(holding).map(({ name, following }) => ({
    name,
    following,
    places: () => marked(files, scanned, name),
    advice: `mark it with # {"$imagepolicy": "${name}"}`,
  }));
}

const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

function marked(
  files: FollowersInput['files'],
  scanned: (file: string) => ScannedFile | undefined,
  policy: string,
): readonly ImagePlace[] {
  const named = [...files].filter(([, text]) => text.includes(`"${policy}`) && text.includes('$imagepolicy'));
  return named.flatMap(([file]) => {
    const found = scanned(file);
    return found === undefined ? [] : markedPlaces(found, policy);
  });
}

/** Each file is parsed once, and only if a policy asks for it. */
function scanner(files: FollowersInput['files']): (file: string) => ScannedFile | undefined {
  const known = new Map<string, ScannedFile>();
  return (file) => {
    const text = files.get(file);
    if (text === undefined) return undefined;
    const scan = known.get(file) ?? { file, scalars: scalarsOf(file, text) };
    known.set(file, scan);
    return scan;
  };
}

/** Which document of its file an Application is. */
function documentOf(file: ScannedFile | undefined, { metadata }: Application): number {
  const names = file?.scalars.filter(({ path }) => path.join('.') === 'metadata.name') ?? [];
  return names.find(({ value }) => value === metadata.name)?.document ?? 0;
}
