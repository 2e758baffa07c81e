// Heatmap and state timeline. Grafana does not publish these two, so they are drawn here in its style, with the axes and
// legends of @grafana/ui. The data is right; tooltips, exemplars and the merging of cells differ from Grafana.

import { DataFrame, FieldType, getValueFormat, GrafanaTheme2, formattedValueToString, TimeRange } from '@grafana/data';
import { AxisPlacement, ScaleDirection, ScaleOrientation, UPlotChart, UPlotConfigBuilder, VizLegend } from '@grafana/ui';
import { interpolateOranges } from 'd3-scale-chromatic';
import { useMemo } from 'react';
import uPlot from 'uplot';

import { Panel } from '../dashboard';

interface Props {
  panel: Panel;
  frames: DataFrame[];
  width: number;
  height: number;
  timeRange: TimeRange;
  theme: GrafanaTheme2;
}

const LEGEND = 28;

/** A plot with a time axis and named rows. `draw` paints its area. */
function RowPlot(props: Props & { rows: string[]; edges: boolean; draw: (plot: uPlot) => void }) {
  const { rows, edges, draw, theme, timeRange, width, height } = props;
  const builder = useMemo(() => {
    const made = new UPlotConfigBuilder('utc');
    const range = (): [number, number] => [timeRange.from.valueOf(), timeRange.to.valueOf()];
    made.addScale({
      scaleKey: 'x',
      isTime: true,
      orientation: ScaleOrientation.Horizontal,
      direction: ScaleDirection.Right,
      range,
    });
    made.addScale({
      scaleKey: 'y',
      isTime: false,
      orientation: ScaleOrientation.Vertical,
      direction: ScaleDirection.Up,
      range: () => [0, rows.length],
    });
    made.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme, grid: { show: false } });
    const longest = Math.max(...rows.map((row) => row.length));
    const every = edges ? Math.ceil((rows.length * 18) / height) : 1;
    made.addAxis({
      scaleKey: 'y',
      placement: AxisPlacement.Left,
      theme,
      size: 16 + longest * 6.6,
      grid: { show: false },
      ticks: { show: false },
      splits: () => rows.map((_, row) => (edges ? row + 1 : row + 0.5)),
      values: () => rows.map((name, row) => (row % every ? '' : name)),
    });
    made.addSeries({ scaleKey: 'y', theme, pathBuilder: () => null, show: true } as any);
    made.addHook('drawClear', draw);
    return made;
  }, []);
  const data = [[timeRange.from.valueOf(), timeRange.to.valueOf()], [0, rows.length]] as uPlot.AlignedData;
  return <UPlotChart config={builder} data={data} width={width} height={height} />;
}

export function HeatmapPanel(props: Props) {
  const { panel, frames, height, theme } = props;
  const [time, ...buckets] = frames[0].fields;
  const format = getValueFormat(panel.options.yAxis?.unit ?? 'short');
  // Hides empty buckets above and below the used ones.
  const used = buckets.map((field) => field.values.some((value) => value > 0));
  const first = Math.max(0, used.indexOf(true) - 1);
  const shown = buckets.slice(first, used.lastIndexOf(true) + 2);
  const most = Math.max(...shown.flatMap((field) => field.values as number[]).filter(Number.isFinite));
  const exponent = panel.options.color?.exponent ?? 0.5;
  const gap = panel.options.cellGap ?? 1;
  const colour = (value: number) => {
    const ratio = Math.pow(value / most, exponent);
    return interpolateOranges(theme.isDark ? 1 - ratio * 0.9 : 0.1 + ratio * 0.9);
  };
  const draw = (plot: uPlot) => {
    // Merges steps into columns that are wide enough to see. Each shows the mean of its steps.
    const columns = Math.max(1, Math.floor(plot.bbox.width / 9));
    const group = Math.ceil(time.values.length / columns);
    const step = time.values[1] - time.values[0];
    plot.ctx.save();
    shown.forEach((field, row) => {
      const [bottom, top] = [plot.valToPos(row, 'y', true), plot.valToPos(row + 1, 'y', true)];
      for (let index = 0; index < time.values.length; index += group) {
        const part = (field.values.slice(index, index + group) as number[]).filter(Number.isFinite);
        const value = part.reduce((sum, one) => sum + one, 0) / (part.length || 1);
        if (value > 1e-9) {
          const left = plot.valToPos(time.values[index] - step, 'x', true);
          const right = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(time.values[index] + step * (group - 1), 'x', true));
          plot.ctx.fillStyle = colour(value);
          plot.ctx.fillRect(Math.max(left, plot.bbox.left), top, right - Math.max(left, plot.bbox.left) - gap, bottom - top - gap);
        }
      }
    });
    plot.ctx.restore();
  };
  const rows = shown.map((field) => (field.name === '+Inf' ? '+Inf' : formattedValueToString(format(Number(field.name), 1))));
  const stops = [0, 0.25, 0.5, 0.75, 1].map((ratio) => colour(most * Math.pow(ratio, 1 / exponent)));
  return (
    <div>
      <RowPlot {...props} height={height - LEGEND} rows={rows} edges draw={draw} />
      <div style={{ display: 'flex', gap: 8, alignItems: 'center', padding: '4px 12px', fontSize: 12, color: theme.colors.text.secondary }}>
        fewer
        <div style={{ width: 160, height: 8, background: `linear-gradient(90deg, ${stops.join(', ')})` }} />
        more
      </div>
    </div>
  );
}

export function StateTimelinePanel(props: Props) {
  const { panel, frames, height, theme } = props;
  const rows = frames.flatMap((frame) =>
    frame.fields
      .filter((field) => field.type !== FieldType.time)
      .map((field) => ({ field, times: frame.fields[0].values as number[] }))
  );
  const names = rows.map(({ field }) => field.config.displayName ?? field.config.displayNameFromDS ?? field.name);
  // Grafana shows the first row on top.
  const upwards = [...rows].reverse();
  const thickness = panel.options.rowHeight ?? 0.9;
  const draw = (plot: uPlot) => {
    plot.ctx.save();
    upwards.forEach(({ field, times }, row) => {
      const margin = (1 - thickness) / 2;
      const top = plot.valToPos(row + 1 - margin, 'y', true);
      const bottom = plot.valToPos(row + margin, 'y', true);
      const step = times[1] - times[0];
      for (let begin = 0, index = 1; index <= field.values.length; index += 1) {
        const value = field.values[begin];
        if (index < field.values.length && field.values[index] === value) {
          continue; // one state, one bar
        }
        if (value !== null && value !== undefined) {
          const left = Math.max(plot.bbox.left, plot.valToPos(times[begin], 'x', true));
          const right = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(times[index - 1] + step, 'x', true));
          plot.ctx.globalAlpha = (field.config.custom?.fillOpacity ?? 70) / 100;
          plot.ctx.fillStyle = field.display!(value).color ?? theme.colors.text.primary;
          plot.ctx.fillRect(left, top, right - left, bottom - top);
        }
        begin = index;
      }
    });
    plot.ctx.restore();
  };
  const mapped = (panel.fieldConfig?.defaults.mappings ?? []).flatMap((mapping: any) => Object.values(mapping.options));
  const items = mapped.map((state: any) => ({
    label: state.text,
    color: theme.visualization.getColorByName(state.color),
    yAxis: 1,
  }));
  return (
    <div>
      <RowPlot {...props} height={height - LEGEND} rows={[...names].reverse()} edges={false} draw={draw} />
      <VizLegend items={items} placement="bottom" displayMode={'list' as any} />
    </div>
  );
}
