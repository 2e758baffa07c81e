// Panels that show one value of each series: stat and bar gauge.

import {
  DataFrame,
  FieldDisplay,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  GrafanaTheme2,
  VizOrientation,
} from '@grafana/data';
import { BarGauge, BigValue, BigValueGraphMode, VizRepeater, VizRepeaterRenderValueProps } from '@grafana/ui';

import { Panel } from '../dashboard';

interface Props {
  panel: Panel;
  frames: DataFrame[];
  width: number;
  height: number;
  theme: GrafanaTheme2;
}

function valuesOf({ panel, frames, theme }: Props, sparkline: boolean): FieldDisplay[] {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig ?? ({ defaults: {}, overrides: [] } as any),
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text) => text,
    theme,
    data: frames,
    sparkline,
    timeZone: 'utc',
  });
}

type Rendered = VizRepeaterRenderValueProps<FieldDisplay, any>;

export function StatPanel(props: Props) {
  const { panel, frames, width, height, theme } = props;
  const { options } = panel;
  return (
    <VizRepeater
      getValues={() => valuesOf(props, options.graphMode !== 'none')}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width, height, count, alignmentFactors }: Rendered) => (
        <BigValue
          value={value.display}
          count={count}
          sparkline={value.sparkline}
          colorMode={options.colorMode}
          graphMode={options.graphMode as BigValueGraphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          alignmentFactors={alignmentFactors}
          text={options.text}
          width={width}
          height={height}
          theme={theme}
          wideLayout={options.wideLayout}
        />
      )}
      width={width}
      height={height}
      source={frames}
      itemSpacing={3}
      renderCounter={0}
      autoGrid
      orientation={options.orientation as VizOrientation}
    />
  );
}

export function BarGaugePanel(props: Props) {
  const { panel, frames, width, height, theme } = props;
  const { options } = panel;
  return (
    <VizRepeater
      getValues={() => valuesOf(props, false)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width, height, alignmentFactors, orientation }: Rendered) => (
        <BarGauge
          value={value.display}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex!)}
          orientation={orientation}
          alignmentFactors={alignmentFactors}
          displayMode={options.displayMode}
          itemSpacing={options.displayMode === 'lcd' ? 2 : 10}
          showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          text={options.text}
          width={width}
          height={height}
          theme={theme}
        />
      )}
      width={width}
      height={height}
      source={frames}
      itemSpacing={10}
      renderCounter={0}
      minVizWidth={options.minVizWidth}
      minVizHeight={options.minVizHeight}
      maxVizHeight={options.maxVizHeight}
      orientation={options.orientation as VizOrientation}
    />
  );
}
