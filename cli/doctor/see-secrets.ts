import { secretValue } from '../../adapters/secret-value.ts';
import { shapeOf, type SecretFact } from '../../core/doctor/judge-secrets.ts';
import { secretsNamed } from '../../core/doctor/secrets-named.ts';
import { inBatches } from '../../core/in-batches.ts';
import { look } from './look.ts';
import type { DoctorWorld } from './world.ts';

const atOnce = 5;

/** Every secret that the configuration names: whether it is there, and what its value looks like. No value is kept. */
export async function seeSecrets({ config, output }: DoctorWorld): Promise<readonly SecretFact[]> {
  const named = secretsNamed(config, {
    hookPrefix: output('hookSecretPrefix'),
    digestKey: output('digestKeySecret'),
  });
  return inBatches(named, atOnce, async (one): Promise<SecretFact> => ({
    ...one,
    state: await look(async () => {
      const value = await secretValue(one.name);
      return value === undefined ? 'absent' : shapeOf(value, one.use);
    }),
  }));
}
