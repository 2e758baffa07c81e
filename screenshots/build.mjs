// Bundles the page that draws a dashboard: `npm run build`.
import { build } from 'esbuild';

await build({
  entryPoints: ['src/page.tsx'],
  bundle: true,
  outfile: 'dist/page.js',
  format: 'iife',
  jsx: 'automatic',
  minify: true,
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  loader: { '.woff2': 'dataurl', '.woff': 'empty', '.ttf': 'empty' },
  // An editor that no dashboard uses.
  alias: { 'monaco-editor': './src/nothing.ts', '@monaco-editor/react': './src/nothing.ts' },
});
