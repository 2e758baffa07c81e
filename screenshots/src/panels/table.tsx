import { cacheFieldDisplayNames, DataFrame, TimeRange } from '@grafana/data';
import { TableNG } from '@grafana/ui/unstable';

import { Panel } from '../dashboard';

interface Props {
  panel: Panel;
  frames: DataFrame[];
  width: number;
  height: number;
  timeRange: TimeRange;
}

export function TablePanel({ panel, frames, ...size }: Props) {
  cacheFieldDisplayNames(frames);
  return (
    <TableNG
      {...size}
      data={frames[0]}
      sortBy={panel.options.sortBy}
      noHeader={panel.options.showHeader === false}
      cellHeight={panel.options.cellHeight}
      fieldConfig={panel.fieldConfig as any}
      enableVirtualization={false}
      disableKeyboardEvents
    />
  );
}
