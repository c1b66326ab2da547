import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// In development the page comes from Vite, everything else from a running server.
const server = process.env['SLUICE_URL'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [vue()],
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  server: { proxy: { '/api': server, '/healthz': server, '/socket.io': { target: server, ws: true } } },
  build: {
    outDir: '../dist/dashboard',
    emptyOutDir: true,
    // data: URIs would have to be allowed by the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The contract's schemas are for the server: a page that uses one of their types must not carry the schema library.
    rolldownOptions: {
      treeshake: { manualPureFunctions: ['Type', 'paged'], moduleSideEffects: (id) => !/\/(contract|typebox)\//.test(id) },
    },
  },
})
