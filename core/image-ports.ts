import type { ImageFacts } from './model/image.ts';

/** Registries that the stack configuration declares for images. Throws Retry, Blocked and Stop. */
export interface ImageRegistries {
  /** Of a tag or a digest; undefined where there is none, and of registries that are not declared. */
  facts(repository: string, reference: string): Promise<ImageFacts | undefined>;
  /** All tags, in the registry's order; undefined of registries that are not declared. */
  tags(repository: string): Promise<readonly string[] | undefined>;
}
