/** What a schema says of a value, in plainer words: a field that is not there is told as such. */
export function schemaWords(message: string): string {
  return message.replace(/^Invalid input: expected (\S+), received undefined$/, 'is missing; expected $1');
}
