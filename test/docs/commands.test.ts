import { test } from 'node:test';
import { commandsPage } from './commands-page.ts';

/** A change of the commands is published by `node --test --test-update-snapshots test/docs/commands.test.ts`. */
test('the reference page of the commands is that of the commands', (context) => {
  context.assert.fileSnapshot(commandsPage(), 'docs/reference/commands.md', { serializers: [String] });
});
