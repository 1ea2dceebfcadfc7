/** Repository of every pointer that a command line wrote from a folder; no installation follows one of that name. */
export const localRepository = 'local';

/** What a person types to ask for a run: there is no `trueup sync` where nobody follows a repository. */
export function syncCommand(
  { repository, application }: { readonly repository: string; readonly application: string },
  { confirmPrune }: { readonly confirmPrune?: number } = {},
): string {
  const isLocal = repository === localRepository;
  const verb = isLocal ? 'apply PATH' : 'sync';
  const flags =
    confirmPrune === undefined ? '' : `${isLocal ? ' --prune' : ''} --confirm-prune ${confirmPrune}`;
  return `\`trueup ${verb} --app ${application}${flags}\``;
}
