import { useEffect, useState } from 'react';

/** Gives the focus back to where it was before a dialog: one that is taken out of the page as it closes does not by itself. */
export function useFocusBack(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      if (before instanceof HTMLElement || before instanceof SVGElement)
        before.focus({ preventScroll: true });
    },
    [before],
  );
}
