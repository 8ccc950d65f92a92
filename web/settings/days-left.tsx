// How long something still lasts, louder the nearer its end is.
import { Badge } from '@mantine/core';
import { plural } from '../labels.ts';

export function DaysLeft({ days }: { days: number }) {
  const color = days < 14 ? 'red' : days < 45 ? 'yellow' : 'green';
  return (
    <Badge variant="light" color={color} tt="none">
      {days < 0 ? 'Expired' : `${plural(days, 'day')} left`}
    </Badge>
  );
}
