import type { ImageRegistries } from '../../core/image-ports.ts';
import type { ImageFacts } from '../../core/model/image.ts';

/** Registries in memory: by image its tags, each with what it says of its build. */
export class MemoryRegistries implements ImageRegistries {
  readonly images = new Map<string, Map<string, ImageFacts>>();
  /** Every question. */
  readonly asked: string[] = [];
  /** Thrown by every question as long as it stands here. */
  fault: Error | undefined;

  push(image: string, tag: string, facts: ImageFacts): void {
    this.images.set(image, (this.images.get(image) ?? new Map()).set(tag, facts));
  }

  async facts(image: string, reference: string): Promise<ImageFacts | undefined> {
    this.#ask(`${image} ${reference}`);
    const tags = this.images.get(image);
    return tags?.get(reference) ?? [...(tags?.values() ?? [])].find(({ digest }) => digest === reference);
  }

  async tags(image: string): Promise<readonly string[] | undefined> {
    this.#ask(`${image} tags`);
    const tags = this.images.get(image);
    return tags === undefined ? undefined : [...tags.keys()];
  }

  #ask(question: string): void {
    this.asked.push(question);
    if (this.fault !== undefined) throw this.fault;
  }
}
