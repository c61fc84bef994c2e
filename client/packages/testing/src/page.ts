import { readFileSync } from 'node:fs';

/** The same policy as the server's: the page must live under it. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

interface ManifestChunk {
  file: string;
  css?: string[];
  imports?: string[];
}

const BASE = '/static/client/';
const ENTRY = 'apps/planner/index.html';
const SOURCE = '/apps/planner/src/main.ts';

/** The page as the server's template makes it: the reference page with the built files of the manifest. */
export function builtPage(referencePath: string, manifestPath: string, language: string): string {
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as Record<string, ManifestChunk>;
  const entry = manifest[ENTRY];
  if (!entry) throw new Error(`the manifest has no ${ENTRY}; run the build first`);
  const imports = (entry.imports ?? []).map((key) => manifest[key]!.file);
  // What a page builds on comes before its own styles.
  const styles = [...(entry.imports ?? []).flatMap((key) => manifest[key]!.css ?? []), ...(entry.css ?? [])];
  const links = [
    ...styles.map((file) => `<link rel="stylesheet" href="${BASE}${file}" />`),
    ...imports.map((file) => `<link rel="modulepreload" href="${BASE}${file}" />`),
  ];
  return readFileSync(referencePath, 'utf8')
    .replace(`src="${SOURCE}"`, `src="${BASE}${entry.file}"`)
    .replace('href="/icon.svg"', `href="${BASE}icon.svg"`)
    .replace('</head>', `${links.join('\n')}\n</head>`)
    .replaceAll('zh-CN', language);
}
