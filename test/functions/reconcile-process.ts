/** The reconcile function in a process of its own, which a test may kill: the event is its argument. */
import { handler } from '../../functions/reconcile.ts';

const event: unknown = JSON.parse(process.argv[2] ?? '');
const ends = Date.now() + 300_000;
const response = await handler(event, { getRemainingTimeInMillis: () => ends - Date.now() });
process.stdout.write(`${JSON.stringify(response)}\n`);
