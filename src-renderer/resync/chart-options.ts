/** How a chart looks to uPlot. Colours are the tokens of the page, read at each drawing: a theme is another set of them. */
import uPlot from 'uplot';
import type { Messages } from '../messages/messages.ts';
import { ticksFor, tickText, timeTicks, type Quantity } from './scale.ts';

export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** The one that the chart is about, or one beside it. */
  readonly weight: 'main' | 'side';
  readonly filled?: boolean;
  /** Written at its end. */
  readonly endText: string | null;
  /** The text is of this moment: it belongs only to a line that reaches it. */
  readonly endIsNow: boolean;
}

/** What a drawing asks for; whatever it is at that moment. */
export interface Look {
  readonly words: () => Messages;
  readonly lines: () => readonly Line[];
  /** Index pairs that are shaded. */
  readonly shaded: () => readonly { first: number; last: number }[];
  readonly onSelect: (fromMs: number, toMs: number) => void;
  readonly onPoint: (index: number | null) => void;
}

export const axisWidth = 76;
export const endWidth = 92;
const timeAxisHeight = 28;
const fontPixels = 12;

export function plotWidth(width: number): number {
  return Math.max(50, width - axisWidth - endWidth);
}

function token(plot: uPlot, name: string): string {
  return getComputedStyle(plot.root).getPropertyValue(name).trim();
}

function font(plot: uPlot, pixels: number): string {
  return `${pixels}px ${getComputedStyle(plot.root).fontFamily}`;
}

function isValue(value: number | null | undefined): boolean {
  return value !== null && value !== undefined;
}

/** A value between two gaps is a point: as a line it would be nothing. */
function lonely(plot: uPlot, seriesIndex: number): number[] {
  const values = plot.data[seriesIndex] ?? [];
  const indices: number[] = [];
  for (let index = 0; index < values.length; index++)
    if (isValue(values[index]) && !isValue(values[index - 1]) && !isValue(values[index + 1])) indices.push(index);
  return indices;
}

function seriesOf(line: Line, quantity: Quantity, index: number): uPlot.Series {
  const color = (plot: uPlot): string => token(plot, line.weight === 'main' ? '--accent' : '--ink-quiet');
  return {
    label: line.label,
    stroke: color,
    width: line.weight === 'main' ? 1.75 : 1.25,
    ...(line.filled === true
      ? { fill: (plot: uPlot) => `color-mix(in srgb, ${token(plot, '--accent')} 14%, transparent)` }
      : {}),
    ...(quantity === 'yes-no' && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
    points: { show: false, size: 3, width: 0, fill: color, filter: (plot) => lonely(plot, index) },
  };
}

function axesOf(quantity: Quantity, withTime: boolean, look: Look): uPlot.Axis[] {
  const quiet = (plot: uPlot): string => token(plot, '--ink-quiet');
  const hairline = (plot: uPlot): string => token(plot, '--hairline');
  const time = (plot: uPlot): ReturnType<typeof timeTicks> => {
    const { min = 0, max = 0 } = plot.scales['x'] ?? {};
    return timeTicks(look.words(), min, max, Math.max(2, plot.bbox.width / uPlot.pxRatio / 72));
  };
  return [
    {
      show: withTime,
      scale: 'x',
      size: timeAxisHeight,
      gap: 4,
      font: `${fontPixels}px system-ui`,
      stroke: quiet,
      grid: { show: false },
      ticks: { show: true, size: 4, width: 1, stroke: hairline },
      splits: (plot) => time(plot).map((tick) => tick.at),
      values: (plot) => time(plot).map((tick) => tick.text),
    },
    {
      scale: 'y',
      size: axisWidth,
      gap: 8,
      font: `${fontPixels}px system-ui`,
      stroke: quiet,
      grid: { show: true, width: 1, stroke: hairline },
      ticks: { show: false },
      // Exactly those that carry a number.
      splits: (plot) => ticksFor(quantity, plot.scales['y']?.max ?? null),
      values: (_plot, splits) => splits.map((split) => tickText(look.words(), quantity, split)),
    },
  ];
}

function drawShades(plot: uPlot, look: Look): void {
  const { ctx, bbox } = plot;
  const at = plot.data[0];
  const half = ((at[1] ?? 0) - (at[0] ?? 0)) / 2;
  ctx.save();
  ctx.fillStyle = token(plot, '--wash');
  for (const { first, last } of look.shaded()) {
    const left = Math.max(bbox.left, plot.valToPos((at[first] ?? 0) - half, 'x', true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos((at[last] ?? 0) + half, 'x', true));
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

/** Seconds that the end of a line may lie back and still be now: readings come every second or every few. */
function nowReach(plot: uPlot): number {
  const [first = 0, second = first] = plot.data[0];
  return Math.max(12, 2 * (second - first));
}

interface EndLabel {
  readonly text: string;
  readonly color: string;
  readonly x: number;
  y: number;
}

/** The value at the end of each line, where the line ends; never two in one place. */
function drawEnds(plot: uPlot, look: Look): void {
  const { ctx, bbox } = plot;
  const height = (fontPixels + 3) * uPlot.pxRatio;
  const labels: EndLabel[] = [];
  for (const [index, line] of look.lines().entries()) {
    const last = line.values.findLastIndex((value) => value !== null);
    const value = line.values[last] ?? null;
    if (value === null || line.endText === null) continue;
    const at = plot.data[0][last] ?? 0;
    if (line.endIsNow && (plot.scales['x']?.max ?? at) - at > nowReach(plot)) continue;
    const right = plot.valToPos(at, 'x', true);
    if (right < bbox.left) continue;
    labels.push({
      text: line.endText,
      color: token(plot, index === 0 ? '--ink' : '--ink-quiet'),
      x: Math.min(right, bbox.left + bbox.width) + 6 * uPlot.pxRatio,
      y: plot.valToPos(value, 'y', true),
    });
  }
  labels.sort((a, b) => a.y - b.y);
  const lowest = bbox.top + bbox.height;
  for (const [index, label] of labels.entries())
    label.y = Math.max(label.y, bbox.top + height / 2, (labels[index - 1]?.y ?? -Infinity) + height);
  for (const [index, label] of [...labels].reverse().entries())
    label.y = Math.min(label.y, lowest - height / 2 - index * height + height / 4);
  ctx.save();
  ctx.font = font(plot, fontPixels * uPlot.pxRatio);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  for (const label of labels) {
    ctx.fillStyle = label.color;
    ctx.fillText(label.text, label.x, label.y);
  }
  ctx.restore();
}

export interface ChartShape {
  readonly quantity: Quantity;
  readonly width: number;
  readonly plotHeight: number;
  /** The lowest one carries the time for all. */
  readonly withTime: boolean;
  readonly group: string;
}

export function chartHeight({ plotHeight, withTime }: Pick<ChartShape, 'plotHeight' | 'withTime'>): number {
  return plotHeight + (withTime ? timeAxisHeight : 0);
}

export function chartOptions(shape: ChartShape, look: Look): uPlot.Options {
  const { quantity, width, withTime, group } = shape;
  return {
    width,
    height: chartHeight(shape),
    padding: [8, endWidth, withTime ? 0 : 8, 0],
    legend: { show: false },
    scales: {
      x: { time: false, auto: false },
      y: { range: (_plot, _min, max) => [0, ticksFor(quantity, max).at(-1) ?? 1] },
    },
    axes: axesOf(quantity, withTime, look),
    series: [{}, ...look.lines().map((line, index) => seriesOf(line, quantity, index + 1))],
    cursor: {
      y: false,
      points: { size: 6, width: 0 },
      drag: { x: true, y: false, setScale: false },
      // The pointer only: whoever is dragged over tells what was chosen, once.
      sync: {
        key: group,
        setSeries: false,
        scales: ['x', null],
        filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
      },
      // Back to the whole would be another meaning than "back to now".
      bind: { dblclick: () => null },
    },
    hooks: {
      drawClear: [(plot) => drawShades(plot, look)],
      draw: [(plot) => drawEnds(plot, look)],
      setCursor: [(plot) => look.onPoint(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width: selectedWidth } = plot.select;
          if (selectedWidth < 4) return;
          const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + selectedWidth, 'x')];
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          look.onSelect(from * 1000, to * 1000);
        },
      ],
    },
  };
}
