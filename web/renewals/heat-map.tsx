// Certificates by the day on which they end, over a year: a grid of weeks, darker where more end.
import { Group, Text, VisuallyHidden } from '@mantine/core';
import type { ResponseOf } from '../client.ts';
import { countText, dayText, plural } from '../labels.ts';

type Day = ResponseOf<'renewalsByDay'>['items'][number];

const CELL = 14;
const GAP = 3;
const LEFT = 34;
const TOP = 18;
const DAY_MS = 86_400_000;
const DAYS = 366;
/** Mixed into the page's own background, so that light and dark both read from little to much. */
const SHARES = [0, 25, 45, 70, 100];
const fillOf = (level: number): string =>
  level === 0
    ? 'var(--mantine-color-default)'
    : `color-mix(in srgb, var(--mantine-primary-color-filled) ${SHARES[level]}%, var(--mantine-color-body))`;
const WEEKDAYS = ['Mon', '', 'Wed', '', 'Fri', '', ''];
const monthFormat = new Intl.DateTimeFormat(undefined, { month: 'short', timeZone: 'UTC' });

/** 0 for none, then four levels by share of the most. */
const levelOf = (count: number, most: number): number =>
  count <= 0 || most <= 0 ? 0 : Math.min(4, Math.max(1, Math.ceil((4 * count) / most)));

/** Monday is 0. */
const weekdayOf = (day: string): number => (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;

/** Of a year from today, in UTC as the API counts; it names only the days on which something happens. */
function wholeYear(known: readonly Day[]): Day[] {
  const today = Date.parse(new Date().toISOString().slice(0, 10));
  const byDay = new Map(known.map((day) => [day.day, day]));
  return Array.from({ length: DAYS }, (_unused, index) => {
    const day = new Date(today + index * DAY_MS).toISOString().slice(0, 10);
    return byDay.get(day) ?? { day, ending: 0, windowOpens: 0 };
  });
}

export function HeatMap({ known }: { known: readonly Day[] }) {
  const days = wholeYear(known);
  const first = days[0]?.day ?? '';
  const start = Date.parse(first) - weekdayOf(first) * DAY_MS;
  const weekOf = (day: string) => Math.floor((Date.parse(day) - start) / (7 * DAY_MS));
  const most = Math.max(...days.map(({ ending }) => ending));
  const total = days.reduce((sum, { ending }) => sum + ending, 0);
  const weeks = weekOf(days.at(-1)?.day ?? first) + 1;
  const width = LEFT + weeks * (CELL + GAP);
  const months = days.filter(({ day }) => day.endsWith('-01'));
  return (
    <figure style={{ margin: 0 }}>
      <div className="table-scroll" role="region" aria-label="Calendar of expiring certificates" tabIndex={0}>
        <svg
          className="heat-map"
          width={width}
          height={TOP + 7 * (CELL + GAP)}
          role="img"
          aria-label={`${plural(total, 'certificate expires', 'certificates expire')} within ${plural(days.length, 'day')}; at most ${countText(most)} on one day.`}
        >
          {WEEKDAYS.map((label, row) => (
            <text key={row} x={0} y={TOP + row * (CELL + GAP) + 11}>
              {label}
            </text>
          ))}
          {months.map(({ day }) => (
            <text key={day} x={LEFT + weekOf(day) * (CELL + GAP)} y={11}>
              {monthFormat.format(new Date(day))}
            </text>
          ))}
          {days.map(({ day, ending, windowOpens }) => (
            <rect
              key={day}
              x={LEFT + weekOf(day) * (CELL + GAP)}
              y={TOP + weekdayOf(day) * (CELL + GAP)}
              width={CELL}
              height={CELL}
              rx={3}
              fill={fillOf(levelOf(ending, most))}
              {...(windowOpens > 0 && { className: 'opens' })}
            >
              <title>
                {`${dayText(`${day}T12:00:00`)}: ${plural(ending, 'certificate expires', 'certificates expire')}, ${plural(windowOpens, 'renewal window opens', 'renewal windows open')}`}
              </title>
            </rect>
          ))}
        </svg>
      </div>
      <DayTable days={days} />
      <Group component="figcaption" gap={6} mt="xs">
        <Text size="xs" c="dimmed">
          None
        </Text>
        <Shades />
        <Text size="xs" c="dimmed">
          At most {countText(most)} on one day. {plural(total, 'certificate')} in all.
        </Text>
        <svg width={CELL} height={CELL} className="heat-map" aria-hidden="true">
          <rect className="opens" x={1} y={1} width={CELL - 2} height={CELL - 2} rx={3} fill="none" />
        </svg>
        <Text size="xs" c="dimmed">
          Renewal windows open
        </Text>
      </Group>
    </figure>
  );
}

/** The same for a screen reader. */
function DayTable({ days }: { days: readonly Day[] }) {
  return (
    <VisuallyHidden>
      <table>
        <caption>Days on which certificates expire or renewal windows open</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Certificates expire</th>
            <th scope="col">Renewal windows open</th>
          </tr>
        </thead>
        <tbody>
          {days
            .filter(({ ending, windowOpens }) => ending + windowOpens > 0)
            .map(({ day, ending, windowOpens }) => (
              <tr key={day}>
                <th scope="row">{dayText(`${day}T12:00:00`)}</th>
                <td>{countText(ending)}</td>
                <td>{countText(windowOpens)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </VisuallyHidden>
  );
}

function Shades() {
  return (
    <svg width={5 * (CELL + GAP)} height={CELL} className="heat-map" aria-hidden="true">
      {SHARES.map((share, level) => (
        <rect
          key={share}
          x={level * (CELL + GAP)}
          y={0}
          width={CELL}
          height={CELL}
          rx={3}
          fill={fillOf(level)}
        />
      ))}
    </svg>
  );
}
