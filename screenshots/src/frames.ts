// Converts query results to data frames, as Grafana's Prometheus data source does.

import { createDataFrame, DataFrame, FieldType } from '@grafana/data';

import { Answer, Series } from './dashboard';

/** Parses a number in the format of Prometheus. */
export function parseNumber(text: string): number | null {
  if (text === '+Inf') {
    return Infinity;
  }
  if (text === '-Inf') {
    return -Infinity;
  }
  const value = Number(text);
  return Number.isNaN(value) ? null : value;
}

/** Returns the name of a series in a legend. */
export function nameOf(answer: Answer, metric: Record<string, string>): string {
  const { __name__: name, ...labels } = metric;
  if (answer.legendFormat && answer.legendFormat !== '__auto') {
    return answer.legendFormat.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? '');
  }
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  if (answer.legendFormat === '__auto' && pairs.length === 1) {
    return Object.values(labels)[0];
  }
  return pairs.length ? `${name ?? ''}{${pairs.join(', ')}}` : (name ?? answer.expr);
}

function timeSeries(answer: Answer, from: number, to: number): DataFrame[] {
  return answer.result.map((series) => {
    const { times, values } = answer.instant ? points(series) : onGrid(answer, series, from, to);
    return createDataFrame({
      refId: answer.refId,
      name: nameOf(answer, series.metric),
      fields: [
        { name: 'Time', type: FieldType.time, values: times, config: { interval: answer.step * 1000 } },
        {
          name: 'Value',
          type: FieldType.number,
          values,
          labels: series.metric,
          config: { displayNameFromDS: nameOf(answer, series.metric) },
        },
      ],
    });
  });
}

function points(series: Series) {
  return {
    times: series.values.map(([at]) => at * 1000),
    values: series.values.map(([, value]) => parseNumber(value)),
  };
}

/** Adds a null for each step without a sample, so that lines have gaps there. */
function onGrid(answer: Answer, series: Series, from: number, to: number) {
  const known = new Map(series.values.map(([at, value]) => [at * 1000, parseNumber(value)]));
  const times: number[] = [];
  const step = answer.step * 1000;
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    times.push(at);
  }
  return { times, values: times.map((at) => known.get(at) ?? null) };
}

function table(answer: Answer, alone: boolean): DataFrame {
  const labels = [...new Set(answer.result.flatMap((series) => Object.keys(series.metric)))].sort();
  const rows = answer.result.flatMap((series) => series.values.map((value) => ({ metric: series.metric, value })));
  return createDataFrame({
    refId: answer.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map((row) => row.value[0] * 1000) },
      ...labels.map((name) => ({
        name,
        type: FieldType.string,
        values: rows.map((row) => row.metric[name] ?? ''),
        config: { filterable: true },
      })),
      {
        name: alone ? 'Value' : `Value #${answer.refId}`,
        type: FieldType.number,
        values: rows.map((row) => parseNumber(row.value[1])),
      },
    ],
  });
}

/** Converts cumulative buckets to separate ones, from the lowest to the highest. */
function heatmap(answer: Answer, from: number, to: number): DataFrame {
  const bound = (series: Series) => parseNumber(series.metric.le) ?? Infinity;
  const buckets = [...answer.result].sort((one, other) => bound(one) - bound(other));
  const columns = buckets.map((series) => onGrid(answer, series, from, to));
  const fields = buckets.map((series, index) => ({
    name: series.metric.le,
    type: FieldType.number,
    labels: series.metric,
    values: columns[index].values.map((value, row) =>
      value === null ? null : Math.max(0, value - (index ? (columns[index - 1].values[row] ?? 0) : 0))
    ),
  }));
  return createDataFrame({
    refId: answer.refId,
    fields: [{ name: 'Time', type: FieldType.time, values: columns[0]?.times ?? [] }, ...fields],
  });
}

/** Returns the frames of a panel before its transformations. */
export function framesOf(answers: Answer[], from: number, to: number): DataFrame[] {
  return answers.flatMap((answer) => {
    if (answer.format === 'table') {
      return [table(answer, answers.length === 1)];
    }
    if (answer.format === 'heatmap') {
      return [heatmap(answer, from, to)];
    }
    return timeSeries(answer, from, to);
  });
}
