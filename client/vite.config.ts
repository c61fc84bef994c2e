import { fileURLToPath, URL } from 'node:url';

import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

import { fakeServerPlugin } from './packages/testing/src/plugin';

const root = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root,
  base: '/static/client/',
  plugins: [vue(), fakeServerPlugin()],
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
  build: {
    outDir: 'dist',
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    // Files stay files: the page's policy forbids code and styles from data: addresses.
    assetsInlineLimit: 0,
    // The map entry alone is half a megabyte before compression; scripts/check-sizes.mjs holds the real budget.
    chunkSizeWarningLimit: 600,
    rollupOptions: { input: { planner: 'apps/planner/index.html', manager: 'apps/manager/index.html' } },
  },
  test: {
    include: ['packages/**/test/**/*.test.ts', 'apps/**/test/**/*.test.ts', 'locales/**/*.test.ts', 'scripts/**/*.test.ts'],
    environment: 'node',
  },
});
