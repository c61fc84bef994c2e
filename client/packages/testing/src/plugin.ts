import { fileURLToPath } from 'node:url';

import type { Plugin } from 'vite';

import { builtPage, CONTENT_SECURITY_POLICY } from './page';
import { createFakeServer } from './server';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Serve the API of the small city: beside the development server, and beside the built page in preview. */
export function fakeServerPlugin(): Plugin {
  const answer = createFakeServer();
  return {
    name: 'onemap-fake-server',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        if (!answer(request, response)) next();
      });
    },
    configurePreviewServer(server) {
      server.middlewares.use((request, response, next) => {
        if (answer(request, response)) return;
        const url = new URL(request.url ?? '/', 'http://localhost');
        if (url.pathname !== '/') return next();
        const language = url.searchParams.get('lang') ?? /onemap_language=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
        const page = builtPage(`${root}/apps/planner/index.html`, `${root}/dist/manifest.json`, language === 'en' ? 'en' : 'zh-CN');
        response.setHeader('Content-Type', 'text/html; charset=utf-8');
        response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
        response.end(page);
      });
    },
  };
}
