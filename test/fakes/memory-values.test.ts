import { valuesContract } from '../contract/values-contract.ts';
import { MemoryValues } from './memory-values.ts';

valuesContract(async () => {
  const values = new MemoryValues();
  return { values, prefix: 'acme', put: async (key, value) => values.put(key, value) };
});
