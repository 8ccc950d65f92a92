// A line chart over days, drawn by uPlot, which is loaded when there is something to draw. What the pointer is at is said in words below it;
// whoever does not see the picture has the table beside it.
import 'uplot/dist/uPlot.min.css';
import { Box, Text, useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import type uPlot from 'uplot';
import { countText } from '../labels.ts';

export interface ChartLine {
  readonly color: string;
  readonly isDashed: boolean;
  readonly values: readonly number[];
}

const HEIGHT = 200;
const DAY_SECONDS = 86_400;
/** Days between two labels of the axis; the labels need room. */
const STEPS = [1, 2, 7, 14, 28];
const LABEL_WIDTH = 70;
const LABEL_HEIGHT = 30;
const DIGIT_WIDTH = 8;
const axisFormat = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', timeZone: 'UTC' });

/**
 * @param days as many end with today, in UTC as the API counts
 * @param dates of the values, the oldest first, as YYYY-MM-DD
 * @param textAt what is said of the day at this place
 */
export function DayChart({
  label,
  days,
  dates,
  lines,
  textAt,
}: {
  label: string;
  days: number;
  dates: readonly string[];
  lines: readonly ChartLine[];
  textAt: (index: number) => string;
}) {
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [holder, setHolder] = useState<HTMLDivElement | null>(null);
  const [isMissing, setMissing] = useState(false);
  const [at, setAt] = useState<number | null>(null);
  // A list is another one at each rendering: its text says whether it has changed.
  const drawn = JSON.stringify([dates, lines]);

  useEffect(() => {
    if (holder === null || width === 0) return;
    let plot: uPlot | undefined;
    let isGone = false;
    import('uplot').then(
      ({ default: Plot }) => {
        if (isGone) return;
        const data: uPlot.AlignedData = [dates.map(secondsOf), ...lines.map(({ values }) => [...values])];
        plot = new Plot(optionsOf({ holder, width, days, lines, setAt }), data, holder);
      },
      () => setMissing(true),
    );
    return () => {
      isGone = true;
      plot?.destroy();
    };
    // `drawn` stands for dates and lines.
  }, [holder, width, scheme, days, drawn]);

  const said = at !== null && at < dates.length ? at : dates.length - 1;
  return (
    <>
      <Box ref={ref} mih={isMissing ? undefined : HEIGHT} style={{ overflow: 'hidden' }}>
        {isMissing ? (
          <Text size="sm" c="dimmed">
            The chart could not be loaded. The table has each day.
          </Text>
        ) : (
          <div ref={setHolder} role="img" aria-label={label} />
        )}
      </Box>
      <Text size="sm" c="dimmed">
        {textAt(said)}
      </Text>
    </>
  );
}

const secondsOf = (day: string): number => Date.parse(day) / 1000;

function optionsOf({
  holder,
  width,
  days,
  lines,
  setAt,
}: {
  holder: HTMLElement;
  width: number;
  days: number;
  lines: readonly ChartLine[];
  setAt: (index: number | null) => void;
}): uPlot.Options {
  const style = getComputedStyle(holder);
  const colorOf = (name: string): string => style.getPropertyValue(`--mantine-color-${name}`).trim();
  const axis = {
    stroke: colorOf('dimmed'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colorOf('default-border'), width: 1 },
    ticks: { show: false },
  };
  const today = secondsOf(new Date().toISOString().slice(0, 10));
  const from = today - (days - 1) * DAY_SECONDS;
  const most = Math.max(1, ...lines.flatMap(({ values }) => values));
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    // Points are white within unless it is said.
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { fill: (_plot, series) => colorOf(lines[series - 1]?.color ?? 'dimmed') },
    },
    scales: { x: { time: false, range: () => [from, today] }, y: { range: () => [0, most * 1.05] } },
    axes: [
      {
        ...axis,
        size: LABEL_HEIGHT,
        splits: () => labeledDays(from, today, width),
        values: (_plot, splits) => splits.map((seconds) => axisFormat.format(seconds * 1000)),
      },
      {
        ...axis,
        incrs: [1, 2, 5]
          .flatMap((step) => Array.from({ length: 8 }, (_unused, power) => step * 10 ** power))
          .sort((one, other) => one - other),
        values: (_plot, splits) => splits.map((count) => countText(count)),
        size: 20 + DIGIT_WIDTH * countText(most).length,
      },
    ],
    series: [
      {},
      ...lines.map(({ color, isDashed, values }) => ({
        stroke: colorOf(color),
        width: isDashed ? 1.5 : 2.5,
        ...(isDashed && { dash: [4, 4] }),
        // One day alone is no line.
        points: { show: values.length === 1, fill: colorOf(color) },
      })),
    ],
    hooks: { setCursor: [({ cursor }) => setAt(cursor.idx ?? null)] },
  };
}

/** From today back, so that today is always named. */
function labeledDays(from: number, today: number, width: number): number[] {
  const days = (today - from) / DAY_SECONDS + 1;
  const room = Math.max(1, Math.floor(width / LABEL_WIDTH));
  const step = (STEPS.find((each) => days / each <= room) ?? days) * DAY_SECONDS;
  const labeled: number[] = [];
  for (let day = today; day >= from; day -= step) labeled.unshift(day);
  return labeled;
}
