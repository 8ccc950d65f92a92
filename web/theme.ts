// Colours and defaults of the console. The variables darken what Mantine shows too faint to read (WCAG AA, light and dark).
import {
  Anchor,
  Badge,
  createTheme,
  Modal,
  NavLink,
  Notification,
  Table,
  Tooltip,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';

const lake: MantineColorsTuple = [
  '#eaf4fb',
  '#d5e6f2',
  '#a9cce6',
  '#79b0da',
  '#539ad0',
  '#3b8cca',
  '#2e84c7',
  '#1c6aa6',
  '#155d94',
  '#0b4a79',
];

export const theme = createTheme({
  colors: { lake },
  primaryColor: 'lake',
  primaryShade: { light: 7, dark: 8 },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: { fontWeight: '650' },
  components: {
    // Links in running text must differ by more than their color.
    Anchor: Anchor.extend({ defaultProps: { underline: 'always' } }),
    Badge: Badge.extend({
      // Words in a narrow column are never cut off.
      styles: { root: { maxWidth: 'none' }, label: { overflow: 'visible' } },
    }),
    Modal: Modal.extend({
      defaultProps: {
        closeButtonProps: { 'aria-label': 'Close' },
        centered: true,
        size: 'lg',
        // A dialog's title bar is not the banner of the page.
        attributes: { header: { role: 'presentation' } },
      },
    }),
    NavLink: NavLink.extend({ styles: { label: { color: 'var(--mantine-color-text)' } } }),
    Notification: Notification.extend({
      defaultProps: { closeButtonProps: { 'aria-label': 'Close message' } },
    }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 'xs' } }),
    Tooltip: Tooltip.extend({
      defaultProps: { withArrow: true, events: { hover: true, focus: true, touch: true } },
    }),
  },
});

const LIGHT = ['red', 'yellow', 'green', 'blue', 'gray', 'orange', 'teal', 'lake'];
/** Text on a `light` badge or alert: the darkest shade on white, a bright one on black. */
const onLight = (shade: number) =>
  Object.fromEntries(
    LIGHT.map((color) => [`--mantine-color-${color}-light-color`, `var(--mantine-color-${color}-${shade})`]),
  );

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...onLight(9),
    '--mantine-color-yellow-light-color': '#7a4a00',
    '--mantine-color-orange-light-color': '#8a3a00',
    '--mantine-color-green-light-color': '#1b6429',
    '--mantine-color-teal-light-color': '#065f46',
    '--mantine-color-dimmed': '#5a636d',
    '--mantine-color-placeholder': '#6b7580',
    '--mantine-color-error': '#c01f1f',
    '--mantine-color-anchor': '#155d94',
  },
  dark: {
    ...onLight(2),
    '--mantine-color-dimmed': '#a9b0b8',
    '--mantine-color-placeholder': '#949ca5',
    '--mantine-color-error': '#ff9d9d',
    '--mantine-color-anchor': '#8cc4ec',
  },
});
