import type { ReferencedValue, SecretPlace } from '../core/model/secret-reference.ts';
import type { ReferencedValues } from '../core/ports.ts';
import type { AwsValuesOptions } from './referenced-values.ts';

/** Loads the clients of AWS when the first value is asked for: most installations have no references. */
export class ReferencedValuesOnDemand implements ReferencedValues {
  readonly #refusal: AwsValuesOptions['refusal'];
  #values: Promise<ReferencedValues> | undefined;

  constructor(refusal: AwsValuesOptions['refusal'] = () => undefined) {
    this.#refusal = refusal;
  }

  async read(place: SecretPlace): Promise<ReferencedValue> {
    this.#values ??= this.#load();
    return (await this.#values).read(place);
  }

  async #load(): Promise<ReferencedValues> {
    const { AwsReferencedValues } = await import('./referenced-values.ts');
    return new AwsReferencedValues({ refusal: this.#refusal });
  }
}
