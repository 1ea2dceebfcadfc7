import { Anchor, createTheme } from '@mantine/core';

/** Contrast of texts on badges and buttons is at least 4.5 in both schemes (axe looks). */
export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: 8,
  autoContrast: true,
  luminanceThreshold: 0.3,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  defaultRadius: 'sm',
  respectReducedMotion: true,
  // Told from the words around it without colours too.
  components: { Anchor: Anchor.extend({ defaultProps: { underline: 'always' } }) },
});
