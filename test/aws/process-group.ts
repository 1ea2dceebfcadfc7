import { readdir, readFile } from 'node:fs/promises';

/** Processes of a group that still run, zombies left out. Linux only, where /proc says so. */
export async function runningMembers(group: number): Promise<readonly number[]> {
  const members: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // A process may end between the listing and the reading.
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // "pid (command) state ppid pgrp …"; the command may hold spaces and parentheses.
    const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(processGroup) === group && state !== 'Z') members.push(Number(name));
  }
  return members;
}
