import { DataFrame, GrafanaTheme2, TimeRange } from '@grafana/data';
import { LegendDisplayMode, TimeSeries, UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect } from 'react';

import { Annotation } from '../dashboard';

interface Props {
  frames: DataFrame[];
  options: Record<string, any>;
  width: number;
  height: number;
  timeRange: TimeRange;
  theme: GrafanaTheme2;
  annotations: Annotation[];
}

export function TimeSeriesPanel({ frames, options, annotations, theme, ...size }: Props) {
  const legend = { displayMode: LegendDisplayMode.List, placement: 'bottom', calcs: [], showLegend: true, ...options.legend };
  return (
    <TimeSeries {...size} frames={frames} legend={legend} timeZone="utc" options={options}>
      {(builder: UPlotConfigBuilder) => <Regions builder={builder} annotations={annotations} theme={theme} />}
    </TimeSeries>
  );
}

/** Draws annotations as Grafana does: a light background, dashed edges and a bar below. */
function Regions(props: { builder: UPlotConfigBuilder; annotations: Annotation[]; theme: GrafanaTheme2 }) {
  const { builder, annotations, theme } = props;
  useLayoutEffect(() => {
    builder.addHook('draw', (plot) => {
      const context = plot.ctx;
      const { top, left, width, height } = plot.bbox;
      const place = (at: number) => Math.min(left + width, Math.max(left, plot.valToPos(at, 'x', true)));
      context.save();
      for (const { color, regions } of annotations) {
        const shown = theme.visualization.getColorByName(color);
        for (const { from, to } of regions) {
          const [begin, end] = [place(from), place(to)];
          context.fillStyle = shown;
          context.globalAlpha = 0.07;
          context.fillRect(begin, top, end - begin, height);
          context.globalAlpha = 1;
          context.fillRect(begin, top + height, Math.max(2, end - begin), 4);
          context.strokeStyle = shown;
          context.setLineDash([5, 5]);
          for (const edge of [begin, end]) {
            context.beginPath();
            context.moveTo(edge, top);
            context.lineTo(edge, top + height);
            context.stroke();
          }
        }
      }
      context.restore();
    });
  }, [builder]);
  return null;
}
