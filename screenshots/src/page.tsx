// Draws the dashboard that the query of the URL names, and sets the title to "drawn" when it has finished.

import '@fontsource/inter/latin-400.css';
import '@fontsource/inter/latin-500.css';
import 'uplot/dist/uPlot.min.css';

import { createTheme, dateTime, EventBusSrv, getThemeById, GrafanaTheme2, renderMarkdown, ThemeContext, TimeRange } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles, Icon, PanelChrome, PanelContextProvider } from '@grafana/ui';
import { CSSProperties, ReactNode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { Drawing, Panel } from './dashboard';
import { prepare } from './config';
import { framesOf } from './frames';
import { HeatmapPanel, StateTimelinePanel } from './panels/standins';
import { TablePanel } from './panels/table';
import { TimeSeriesPanel } from './panels/timeseries';
import { BarGaugePanel, StatPanel } from './panels/values';

const CELL = 30;
const GAP = 8;
const COLUMNS = 24;

function place({ gridPos: { x, y, w, h } }: Panel, width: number): CSSProperties & { width: number; height: number } {
  const column = (width - GAP * (COLUMNS - 1)) / COLUMNS;
  return {
    position: 'absolute',
    left: Math.round(x * (column + GAP)),
    top: y * (CELL + GAP),
    width: Math.round(w * column + (w - 1) * GAP),
    height: h * CELL + (h - 1) * GAP,
  };
}

function visualisation(panel: Panel, frames: any[], drawing: Drawing, theme: GrafanaTheme2, width: number, height: number): ReactNode {
  const range = { from: dateTime(drawing.from), to: dateTime(drawing.to) };
  const timeRange: TimeRange = { ...range, raw: range };
  if (panel.type === 'text') {
    return <div className="markdown-html" dangerouslySetInnerHTML={{ __html: renderMarkdown(panel.options.content) }} />;
  }
  if (!frames.some((frame) => frame.length > 0)) {
    return (
      <div style={{ height, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>
        {panel.fieldConfig?.defaults.noValue ?? 'No data'}
      </div>
    );
  }
  const props = { panel, frames, options: panel.options, timeRange, theme, width, height };
  switch (panel.type) {
    case 'timeseries':
      return <TimeSeriesPanel {...props} annotations={drawing.annotations} />;
    case 'stat':
      return <StatPanel {...props} />;
    case 'bargauge':
      return <BarGaugePanel {...props} />;
    case 'table':
      return <TablePanel {...props} />;
    case 'heatmap':
      return <HeatmapPanel {...props} />;
    case 'state-timeline':
      return <StateTimelinePanel {...props} />;
    default:
      throw new Error(`panel ${panel.id} (${panel.title}): this page can't draw a ${panel.type}`);
  }
}

function Row({ panel, style, theme }: { panel: Panel; style: CSSProperties; theme: GrafanaTheme2 }) {
  return (
    <div style={{ ...style, display: 'flex', alignItems: 'center', gap: 6, fontSize: theme.typography.h5.fontSize, fontWeight: 500 }}>
      <Icon name={panel.collapsed ? 'angle-right' : 'angle-down'} />
      {panel.title}
    </div>
  );
}

function Header({ drawing, theme }: { drawing: Drawing; theme: GrafanaTheme2 }) {
  const box: CSSProperties = {
    border: `1px solid ${theme.components.input.borderColor}`,
    background: theme.components.input.background,
    borderRadius: theme.shape.radius.default,
    padding: '5px 10px',
    display: 'inline-flex',
    alignItems: 'center',
    gap: 6,
  };
  return (
    <div style={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 12, paddingBottom: 12, fontSize: 13 }}>
      <span style={{ fontSize: 18, fontWeight: 500, marginRight: 12 }}>{drawing.dashboard.title}</span>
      {drawing.variables.map(({ label, text }) => (
        <span key={label} style={{ display: 'inline-flex' }}>
          <span style={{ ...box, background: theme.colors.background.secondary, borderRight: 0, color: theme.colors.text.secondary }}>{label}</span>
          <span style={box}>
            {text} <Icon name="angle-down" size="sm" />
          </span>
        </span>
      ))}
      <span style={{ flex: 1 }} />
      {(drawing.dashboard.links ?? []).map((link) => (
        <span key={link.title} style={box}>
          <Icon name={link.type === 'dashboards' ? 'bars' : 'external-link-alt'} size="sm" /> {link.title}
        </span>
      ))}
      <span style={box}>
        <Icon name="clock-nine" size="sm" /> {drawing.range}
      </span>
    </div>
  );
}

interface Prepared {
  panel: Panel;
  frames: any[];
}

function Dashboard({ drawing, prepared, theme }: { drawing: Drawing; prepared: Prepared[]; theme: GrafanaTheme2 }) {
  const [drawn, setDrawn] = useState(false);
  const width = window.innerWidth - 32;
  useEffect(() => {
    // The plots are painted two frames after the last layout.
    requestAnimationFrame(() => requestAnimationFrame(() => setDrawn(true)));
  }, []);
  useEffect(() => {
    document.title = drawn ? 'drawn' : 'drawing';
  }, [drawn]);
  const bottom = Math.max(...prepared.map(({ panel }) => panel.gridPos.y + panel.gridPos.h));
  return (
    <div style={{ padding: 16, background: theme.colors.background.canvas, color: theme.colors.text.primary }}>
      <Header drawing={drawing} theme={theme} />
      <div style={{ position: 'relative', height: bottom * (CELL + GAP) - GAP }}>
        {prepared.map(({ panel, frames }) => {
          const style = place(panel, width);
          return panel.type === 'row' ? (
            <Row key={panel.id} panel={panel} style={style} theme={theme} />
          ) : (
            <div key={panel.id} style={style}>
              <PanelChrome
                title={panel.title}
                description={panel.description}
                width={style.width}
                height={style.height}
                padding={panel.type === 'table' ? 'none' : 'md'}
                displayMode={panel.transparent ? 'transparent' : 'default'}
              >
                {(innerWidth, innerHeight) => visualisation(panel, frames, drawing, theme, innerWidth, innerHeight)}
              </PanelChrome>
            </div>
          );
        })}
      </div>
    </div>
  );
}

async function main() {
  const name = new URLSearchParams(location.search).get('dashboard');
  const drawing: Drawing = await (await fetch(`/${name}.json`)).json();
  await initPluginTranslations('grafana', []);
  const theme = getThemeById(drawing.theme) ?? createTheme({ colors: { mode: drawing.theme } });
  // Grafana fits values to their panels by the width of their text, so fonts must be loaded before that.
  await Promise.all(['400 14px Inter', '500 14px Inter'].map((font) => document.fonts.load(font)));
  const prepared = await Promise.all(
    drawing.dashboard.panels.map(async (panel) => ({
      panel,
      frames: await prepare(panel, framesOf(drawing.answers[panel.id] ?? [], drawing.from, drawing.to), theme),
    }))
  );
  const context = { eventsScope: 'dashboard', eventBus: new EventBusSrv() };
  createRoot(document.getElementById('dashboard')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={context}>
        <Dashboard drawing={drawing} prepared={prepared} theme={theme} />
      </PanelContextProvider>
    </ThemeContext.Provider>
  );
}

main().catch((error) => {
  document.title = `failed: ${error?.stack ?? error}`;
});
