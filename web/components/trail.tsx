// Where a page is: the pages above it, each a link, and its own name last.
import { Anchor, Breadcrumbs, Text } from '@mantine/core';
import { useNavigate, useRouter, type NavigateOptions } from '@tanstack/react-router';

export interface Crumb {
  readonly label: string;
  readonly to: NavigateOptions;
}

export function Trail({ above, title }: { readonly above: readonly Crumb[]; readonly title: string }) {
  const router = useRouter();
  const navigate = useNavigate();
  return (
    <nav aria-label="Breadcrumb">
      <Breadcrumbs separator="›" separatorMargin={6} style={{ flexWrap: 'wrap' }}>
        {above.map(({ label, to }) => (
          <Anchor
            key={label}
            size="sm"
            href={router.buildLocation(to as never).href}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              void navigate(to);
            }}
          >
            {label}
          </Anchor>
        ))}
        <Text size="sm" c="dimmed" aria-current="page" className="break-anywhere">
          {title}
        </Text>
      </Breadcrumbs>
    </nav>
  );
}
