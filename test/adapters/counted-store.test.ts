import { CountedStore } from '../../adapters/counted-store.ts';
import { storeContract } from '../contract/store-contract.ts';
import { MemoryStore } from '../fakes/memory-store.ts';

storeContract('counted', async () => ({ store: new CountedStore(new MemoryStore()), prefix: 'contract/' }));
