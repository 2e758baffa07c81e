// The document that draw.py writes: a dashboard, and the results of its queries.

export interface Series {
  metric: Record<string, string>;
  values: Array<[number, string]>; // one for an instant query
}

export interface Answer {
  refId: string;
  expr: string;
  legendFormat: string;
  format: string;
  instant: boolean;
  step: number; // seconds
  result: Series[];
}

export interface Target {
  refId: string;
  hide?: boolean;
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  options: Record<string, any>;
  fieldConfig?: { defaults: Record<string, any>; overrides: any[] };
  transformations?: any[];
  transparent?: boolean;
  collapsed?: boolean;
}

export interface Annotation {
  name: string;
  color: string;
  regions: Array<{ from: number; to: number; title: string }>; // milliseconds
}

export interface Drawing {
  theme: 'dark' | 'light';
  from: number; // milliseconds
  to: number;
  range: string;
  dashboard: { title: string; panels: Panel[]; links?: Array<{ title: string; type: string; icon?: string }> };
  variables: Array<{ label: string; text: string }>;
  answers: Record<number, Answer[]>;
  annotations: Annotation[];
}
