// Mantine's anchor, button and navigation entry as links of the router, with checked addresses.
import {
  Anchor,
  Button,
  NavLink,
  type AnchorProps,
  type ButtonProps,
  type NavLinkProps,
} from '@mantine/core';
import { createLink, type LinkComponent } from '@tanstack/react-router';
import type { ComponentPropsWithRef } from 'react';

type Plain<Own> = Own & Omit<ComponentPropsWithRef<'a'>, keyof Own>;

const PlainAnchor = (props: Plain<AnchorProps>) => <Anchor {...props} />;
const PlainButton = (props: Plain<ButtonProps>) => <Button component="a" {...props} />;
const PlainEntry = (props: Plain<NavLinkProps>) => <NavLink {...props} />;

export const AnchorLink: LinkComponent<typeof PlainAnchor> = createLink(PlainAnchor);
export const ButtonLink: LinkComponent<typeof PlainButton> = createLink(PlainButton);
export const EntryLink: LinkComponent<typeof PlainEntry> = createLink(PlainEntry);
