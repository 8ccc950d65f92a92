// A dialog that gives the focus back to where it was. The library does so only where a dialog stays on the page when it is closed, and what opened
// it still has the focus then: most of ours are there only while they are open, and a button that is busy loses the focus.
import { Modal, type ModalProps } from '@mantine/core';
import { useLayoutEffect } from 'react';

let open = 0;
/** What had the focus last before a dialog opened: Tab may be faster than the dialog, which takes the focus a moment after it is there. */
let outside: HTMLElement | undefined;
document.addEventListener('focusin', ({ target }) => {
  if (open > 0 || !(target instanceof HTMLElement) || target.closest('[role="dialog"]') !== null) return;
  // An entry goes with its menu: the menu's button is what stays.
  const button = target.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  outside = (button && document.getElementById(button)) || target;
});

export function Dialog(props: ModalProps) {
  useLayoutEffect(() => {
    if (!props.opened) return undefined;
    open += 1;
    return () => {
      open -= 1;
      const last = document.activeElement;
      setTimeout(() => {
        const now = document.activeElement;
        // Another dialog that takes its place keeps it, and so does what took it meanwhile.
        if (open > 0 || (now !== null && now !== document.body && now !== last)) return;
        const back = outside?.isConnected === true ? outside : document.getElementById('content');
        back?.focus({ preventScroll: true });
      });
    };
  }, [props.opened]);
  return <Modal returnFocus={false} {...props} />;
}
