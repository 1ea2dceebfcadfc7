import { storeContract } from '../contract/store-contract.ts';
import { MemoryStore } from './memory-store.ts';

storeContract('memory', async () => ({ store: new MemoryStore(), prefix: 'contract/' }));
