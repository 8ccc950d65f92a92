// An address that the console does not have.
import { AnchorLink } from '../components/links.tsx';
import { Page } from '../components/page.tsx';

export function NotFound() {
  return (
    <main style={{ padding: 'var(--mantine-spacing-xl)' }}>
      <Page title="Page not found" intro="The address may be mistyped, or someone removed the page.">
        <AnchorLink to="/">Go to the overview</AnchorLink>
      </Page>
    </main>
  );
}
