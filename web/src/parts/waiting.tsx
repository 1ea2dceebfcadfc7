import { Center, Loader } from '@mantine/core';
import type { ReactNode } from 'react';

/** Something is asked for and not there yet. Not seen for the first moments: most answers take less. */
export function Waiting(): ReactNode {
  return (
    <Center h="30vh" className="late">
      <Loader aria-label="loading" role="status" />
    </Center>
  );
}
