// Applies a panel's transformations, field defaults and overrides with Grafana's code.

import {
  applyFieldOverrides,
  DataFrame,
  FieldConfigOptionsRegistry,
  FieldConfigPropertyItem,
  GrafanaTheme2,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

import { Panel } from './dashboard';

const STANDARD = [
  'unit',
  'min',
  'max',
  'decimals',
  'displayName',
  'noValue',
  'color',
  'thresholds',
  'mappings',
  'links',
  'fieldMinMax',
];

standardTransformersRegistry.setInit(() =>
  // Some are exported under two names.
  [...new Map(Object.values(standardTransformers).map((each: any) => [each.id, each])).values()].map((transformation) => ({
    id: transformation.id,
    aliasIds: transformation.aliasIds,
    name: transformation.name,
    transformation: () => Promise.resolve(transformation),
    editor: () => null,
    imageDark: '',
    imageLight: '',
  })) as any
);

function property(id: string): FieldConfigPropertyItem {
  const isCustom = id.startsWith('custom.');
  return {
    id,
    path: isCustom ? id.slice('custom.'.length) : id,
    isCustom,
    name: id,
    editor: () => null,
    override: () => null,
    process: (value: unknown) => value,
    shouldApply: () => true,
    settings: {},
  } as unknown as FieldConfigPropertyItem;
}

/** Lists the properties that a panel sets. Grafana keeps its registry of them in plugins, which are not published. */
function registryOf(panel: Panel): FieldConfigOptionsRegistry {
  const custom = Object.keys(panel.fieldConfig?.defaults.custom ?? {}).map((name) => `custom.${name}`);
  const overridden = (panel.fieldConfig?.overrides ?? []).flatMap((rule) => rule.properties.map((each: any) => each.id));
  return new FieldConfigOptionsRegistry(() => [...new Set([...STANDARD, ...custom, ...overridden])].map(property));
}

/** Returns the frames that the panel's visualisation receives. */
export async function prepare(panel: Panel, frames: DataFrame[], theme: GrafanaTheme2): Promise<DataFrame[]> {
  const transformed = panel.transformations?.length
    ? await lastValueFrom(
        transformDataFrame(panel.transformations, frames, { interpolate: (text: string) => text })
      )
    : frames;
  const fieldConfig = structuredClone(panel.fieldConfig ?? { defaults: {}, overrides: [] });
  for (const step of fieldConfig.defaults.thresholds?.steps ?? []) {
    step.value ??= -Infinity; // JSON has no infinity
  }
  for (const rule of fieldConfig.overrides ?? []) {
    for (const { id, value } of rule.properties) {
      for (const step of id === 'thresholds' ? value.steps : []) {
        step.value ??= -Infinity;
      }
    }
  }
  return applyFieldOverrides({
    data: transformed,
    fieldConfig,
    fieldConfigRegistry: registryOf(panel),
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
}
