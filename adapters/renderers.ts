import packageJson from '../package.json' with { type: 'json' };
import { Stop } from '../core/errors.ts';
import type { HelmRequest, HelmResult, KustomizeExtras, Renderers, Worktree } from '../core/ports.ts';
import { Helm } from './helm.ts';
import { Kustomize } from './kustomize.ts';
import type { SandboxLimits } from './sandbox.ts';

/** kustomize as kubectl carries it, and Helm. */
export class LocalRenderers implements Renderers {
  readonly #kustomize: Kustomize;
  readonly #helm: Helm;

  private constructor(kustomize: Kustomize, helm: Helm) {
    this.#kustomize = kustomize;
    this.#helm = helm;
  }

  /** Finds kubectl on the PATH that is given. Throws when it is not there. */
  static async find(path: string, limits: Partial<SandboxLimits> = {}): Promise<LocalRenderers> {
    const helm = new Helm(path, limits);
    // Versions are inputs of a render, known from the start; where there is no Helm, the chart that needs it tells.
    await helm.find().catch(() => undefined);
    return new LocalRenderers(await Kustomize.find(path, limits), helm);
  }

  get versions(): Renderers['versions'] {
    return { trueup: packageJson.version, ...this.#kustomize.versions, ...this.#helm.versions };
  }

  kustomize(worktree: Worktree, path: string, extras: KustomizeExtras = {}): Promise<string> {
    return this.#kustomize.build(worktree, path, extras);
  }

  helm(request: HelmRequest): Promise<HelmResult> {
    return this.#helm.render(request);
  }
}

/** As `LocalRenderers`, with kubectl looked for when it is needed: plain manifests are rendered without one. */
export class RenderersOnDemand implements Renderers {
  readonly #path: string;
  readonly #helm: Helm;
  #kustomize: Kustomize | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#helm = new Helm(path);
  }

  get versions(): Renderers['versions'] {
    return { trueup: packageJson.version, ...this.#kustomize?.versions, ...this.#helm.versions };
  }

  async kustomize(worktree: Worktree, path: string, extras: KustomizeExtras = {}): Promise<string> {
    this.#kustomize ??= await Kustomize.find(this.#path).catch((cause: unknown) => {
      const message =
        'is built with kustomize, which comes with kubectl, and there is none on the PATH; install it';
      throw new Stop({ subject: `folder ${path}`, message, cause });
    });
    return this.#kustomize.build(worktree, path, extras);
  }

  helm(request: HelmRequest): Promise<HelmResult> {
    return this.#helm.render(request);
  }
}
