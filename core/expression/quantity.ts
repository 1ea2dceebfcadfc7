const form = /^([+-]?(?:\d+\.?\d*|\.\d+))(|[eE][+-]?\d+|m|u|n|k|M|G|T|P|E|[KMGTPE]i)$/;

const scales: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Whether a text is an amount as Kubernetes spells it: `500m`, `1.5Gi`, `2e3`. */
export function isQuantity(text: string): boolean {
  return form.test(text);
}

/** An amount as a number, exact up to 2^53. Throws Error for what is none. */
export class Quantity {
  readonly value: number;
  constructor(text: string) {
    const [, number = '', suffix = ''] = form.exec(text) ?? [];
    if (number === '') throw new Error(`${text} is no quantity, such as 500m or 1.5Gi`);
    const scale = scales[suffix];
    this.value = scale === undefined ? Number(number + suffix) : Number(number) * scale;
  }
}
