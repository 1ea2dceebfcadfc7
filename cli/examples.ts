import type { Command } from 'commander';

/** What the help of each verb shows; a test holds them against the options. */
const examples: Readonly<Record<string, readonly string[]>> = {
  apply: [
    'trueup apply apps/storefront --app storefront --namespace storefront --wait',
    'trueup apply apps/storefront --app storefront --namespace storefront --dry-run',
  ],
  cancel: ['trueup cancel --app storefront --cluster production'],
  clusters: ['trueup clusters', 'trueup clusters --forget staging --reason "was deleted"'],
  completion: [
    'trueup completion bash > ~/.local/share/bash-completion/completions/trueup',
    'trueup completion zsh > "${fpath[1]}/_trueup"',
    'trueup completion fish > ~/.config/fish/completions/trueup.fish',
  ],
  deliveries: [
    'trueup deliveries --watch',
    'trueup deliveries --replay 0b989ba4-242f-11e5-81e1-c7b6966d2516',
  ],
  dev: ['trueup dev apps/storefront --app storefront --namespace storefront'],
  diff: [
    'trueup diff --base origin/main',
    'trueup diff --base origin/main --config cdk/stack.json -o markdown',
  ],
  doctor: ['trueup doctor --stack trueup-production'],
  drift: [
    'trueup drift --app storefront',
    'trueup drift --app storefront --heal --store file:./state',
    'trueup drift --app storefront --accept --object Deployment/web --reason "scaled by hand"',
  ],
  environments: ['trueup environments'],
  event: ['trueup event --provider github --headers request.txt --body body.json --secret-file secret.txt'],
  events: [
    'trueup events --app storefront --watch',
    'trueup events --app storefront --cluster production --context production --since 1h',
  ],
  get: [
    'trueup get --app storefront -o wide',
    'trueup get Deployment/web --app storefront -o yaml',
    'trueup get --app storefront --cluster production --live --context production',
  ],
  grant: ['trueup grant --cluster production --entries | kubectl apply -f -'],
  health: ['trueup health -f deployment.yaml', 'kubectl get deployment/web -o yaml | trueup health -f -'],
  history: ['trueup history --app storefront'],
  image: ['trueup image ghcr.io/acme/web:1.4.2 --dir . --dry-run'],
  init: ['trueup init my-config --repository https://github.com/acme/my-config.git --cluster production'],
  notify: ['trueup notify', 'trueup notify --test operations'],
  plan: ['trueup plan apps/storefront --app storefront --namespace storefront'],
  profile: [
    'trueup profile set production --stack trueup-production --region eu-central-1 --aws-profile prod',
    'trueup profile set laptop --store file:./state --context kind-trueup',
    'trueup profile use production',
    'trueup status --profile laptop',
  ],
  promote: ['trueup promote --app storefront', 'trueup promote --environment production --reason "tested"'],
  redrive: ['trueup redrive', 'trueup redrive runs'],
  render: ['trueup render apps/storefront -o yaml'],
  restart: ['trueup restart --app storefront --resource Deployment/web --wait'],
  restore: ['trueup restore inventory/production/ --at 2026-11-23T08:00:00Z'],
  resume: ['trueup resume --app storefront'],
  rollback: [
    'trueup rollback --app storefront --cluster production --reason "two is broken" --wait',
    'trueup rollback --app storefront --cluster production --lift',
  ],
  status: ['trueup status --watch', 'trueup status --cluster production -o json'],
  suspend: ['trueup suspend --app storefront --reason "the database moves" --until 2026-11-30T18:00:00Z'],
  sync: ['trueup sync --app storefront --resource Deployment/shop/web --wait'],
  trace: ['trueup trace Deployment/shop/web --cluster production'],
  ui: ['trueup ui', 'trueup ui --store file:./state --context kind-trueup'],
  validate: ['trueup validate --dir . --config cdk/stack.json'],
  wait: ['trueup wait --app storefront --for healthy --timeout 5m'],
};

/** Puts the examples of each verb behind its help. */
export function addExamples(trueup: Command): void {
  for (const verb of trueup.commands) {
    const lines = examples[verb.name()] ?? [];
    if (lines.length === 0) continue;
    const head = lines.length === 1 ? 'Example' : 'Examples';
    verb.addHelpText('after', `\n${head}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  }
}
