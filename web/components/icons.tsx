// The few pictures of the console, drawn here so that no font and no other host is needed.
import type { ReactNode } from 'react';

function Icon({ children, size = 18 }: { children: ReactNode; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const DashIcon = () => (
  <Icon>
    <path d="M5 12h14" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="8" y="8" width="12" height="12" rx="2" />
    <path d="M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2" />
  </Icon>
);
export const PulseIcon = () => (
  <Icon>
    <path d="M3 12h4l3-7 4 14 3-7h4" />
  </Icon>
);
export const CheckIcon = () => (
  <Icon>
    <path d="m5 13 4 4L19 7" />
  </Icon>
);
export const CrossIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6 6 18" />
  </Icon>
);
export const QuestionIcon = () => (
  <Icon>
    <path d="M9.2 9a3 3 0 1 1 4.300 2.700c-1 .5-1.500 1.100-1.500 2.300M12 17.500v.1" />
  </Icon>
);
export const HouseIcon = () => (
  <Icon>
    <path d="M4 11.500 12 5l8 6.500M6 10v9h12v-9" />
  </Icon>
);
export const LaptopIcon = () => (
  <Icon>
    <rect x="5" y="5" width="14" height="10" rx="1.500" />
    <path d="M3 19h18" />
  </Icon>
);
export const PhoneIcon = () => (
  <Icon>
    <rect x="7" y="3" width="10" height="18" rx="2.500" />
    <path d="M11 18h2" />
  </Icon>
);
export const TabletIcon = () => (
  <Icon>
    <rect x="5" y="3" width="14" height="18" rx="2.500" />
    <path d="M11 18h2" />
  </Icon>
);
export const PlugIcon = () => (
  <Icon>
    <path d="M9 4v4M15 4v4M7 8h10v3a5 5 0 0 1-10 0V8ZM12 16v4" />
  </Icon>
);
export const ArrowsIcon = () => (
  <Icon>
    <path d="M4 9h14l-4-4M20 15H6l4 4" />
  </Icon>
);
export const BooksIcon = () => (
  <Icon>
    <path d="M5 5h4v14H5zM10 5h4v14h-4zM15.500 6l3.500-1 3 13.500-3.500 1z" />
  </Icon>
);
export const LayersIcon = () => (
  <Icon>
    <path d="m12 4 8 4-8 4-8-4 8-4ZM4 12l8 4 8-4M4 16l8 4 8-4" />
  </Icon>
);
export const RocketIcon = () => (
  <Icon>
    <path d="M5 12h11M12 7l5 5-5 5M4 6v12" />
  </Icon>
);
export const CalendarIcon = () => (
  <Icon>
    <rect x="4" y="5" width="16" height="15" rx="2" />
    <path d="M4 10h16M8 3v4M16 3v4" />
  </Icon>
);
export const ListIcon = () => (
  <Icon>
    <path d="M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01" />
  </Icon>
);
export const GearIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="3.200" />
    <path d="M12 3v3M12 18v3M3 12h3M18 12h3M5.600 5.600l2.200 2.200M16.200 16.200l2.200 2.200M18.400 5.600l-2.200 2.200M7.800 16.200l-2.200 2.200" />
  </Icon>
);
export const ShieldIcon = ({ size }: { size?: number }) => (
  <Icon {...(size === undefined ? {} : { size })}>
    <path d="M12 3 5 6v6c0 4 3 7 7 9 4-2 7-5 7-9V6l-7-3ZM9 12l2 2 4-4" />
  </Icon>
);
export const SunIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400" />
  </Icon>
);
export const SearchIcon = () => (
  <Icon size={16}>
    <circle cx="11" cy="11" r="7" />
    <path d="m20 20-4-4" />
  </Icon>
);
