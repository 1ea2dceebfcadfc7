/** A protobuf message as it is on the wire: fields by number. Throws an Error where it is cut off or of another kind. */
export class ProtoMessage {
  readonly #fields: readonly { readonly number: number; readonly value: bigint | Buffer }[];

  constructor(bytes: Buffer) {
    const fields: { number: number; value: bigint | Buffer }[] = [];
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const byte = bytes[at];
        at += 1;
        if (byte === undefined) break;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return BigInt.asIntN(64, value);
      }
      throw new Error('the message is cut off');
    };
    while (at < bytes.length) {
      const key = Number(varint());
      const [number, type] = [key >>> 3, key & 7];
      if (type === 0) {
        fields.push({ number, value: varint() });
        continue;
      }
      if (type !== 2) throw new Error(`wire type ${type} is not expected here`);
      const end = Number(varint()) + at;
      if (end > bytes.length || end < at) throw new Error('the message is cut off');
      fields.push({ number, value: bytes.subarray(at, end) });
      at = end;
    }
    this.#fields = fields;
  }

  /** Every value of a repeated field. */
  all(number: number): readonly Buffer[] {
    return this.#fields.flatMap((field) =>
      field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
    );
  }

  message(number: number): ProtoMessage | undefined {
    const value = this.all(number).at(-1);
    return value === undefined ? undefined : new ProtoMessage(value);
  }

  base64(number: number): string | undefined {
    return this.all(number).at(-1)?.toString('base64');
  }

  text(number: number): string | undefined {
    return this.all(number).at(-1)?.toString('utf8');
  }

  /** Decimal; protobuf leaves a zero out. */
  integer(number: number): string {
    const field = this.#fields.findLast((one) => one.number === number);
    return typeof field?.value === 'bigint' ? field.value.toString() : '0';
  }
}
