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
  /** Values of a chart that it names and that cannot be edited, each in a sentence. */
  readonly missing?: () => readonly string[];
  /** What to do where the image stands nowhere. */
  readonly advice: string;
}

/** What a policy names of the values of a chart, and where these are: in a file of their own, or in the Application. */
interface HelmValues {
  readonly named: ImagePolicy['helm'][number];
  readonly file: string;
  readonly above?: readonly string[];
  readonly document?: number;
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
      const { path } = application.spec.source;
      const folder = path === '.' ? '' : `${path}/`;
      const helm = (): readonly HelmValues[] =>
        policy.helm.map((values) => {
          if (values.file !== undefined) return { named: values, file: `${folder}${values.file}` };
          const document = documentOf(scanned(file), application);
          return { named: values, file, above: applicationPaths.values, document };
        });
      const placesOf = ({ named, file: one, above, document }: HelmValues): readonly ImagePlace[] => {
        const there = scanned(one);
        return there === undefined ? [] : helmPlaces(there, named, above, document);
      };
      const places = (): readonly ImagePlace[] => {
        const own = scanned(file);
        const document = documentOf(own, application);
        const kustomization = kustomizationNames.map((each) => scanned(`${folder}${each}`));
        return [
          ...kustomization.flatMap((each) => each ?? []).flatMap((each) => kustomizePlaces(each, policy)),
          ...(own === undefined ? [] : kustomizePlaces(own, policy, applicationPaths.kustomize, document)),
          ...helm().flatMap(placesOf),
          ...marked(files, scanned, name),
        ];
      };
      const missing = (): readonly string[] =>
        helm().flatMap((values) => {
          const { tag, digest, image } = values.named;
          return Object.entries({ tag, digest, image }).flatMap(([part, value]) => {
            if (value === undefined || placesOf({ ...values, named: { [part]: value } }).length > 0)
              return [];
            return `${values.file} has no value ${value} of one line: nothing is written there`;
          });
        });
      const advice = `put it into images of the kustomization in ${application.spec.source.path}, name its Helm values, or mark it with # {"$imagepolicy": "${name}"}`;
      return { name, application: application.metadata.name, following: policy, places, missing, advice };
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
