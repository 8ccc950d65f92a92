// An address that the console does not have.
import {} from '@mantine/core';
import { AnchorLink } from '../parts/links.tsx';
import { Empty } from '../parts/page.tsx';

export function NotFound() {
  return (
    <Empty title="There is no such page" action={<AnchorLink to="/">To the overview</AnchorLink>}>
      The address may be mistyped, or what it showed was removed.
    </Empty>
  );
}
