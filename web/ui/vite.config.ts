/** Build into web/static, where the server looks for the UI; `npm run dev` passes the API on to a running Cordwood. */
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = process.env['CORDWOOD_URL'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { proxy: { '/api': server, '/schema': server, '/readyz': server } },
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // A strict Content-Security-Policy allows neither inline scripts nor data: URLs for them.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    // The first script names all that may come later: a letter or two less of each are 200 bytes of it, compressed.
    rolldownOptions: {
      // The history of the query box is all that is used of a package that also imports this one, for languages: nothing of it is.
      treeshake: { moduleSideEffects: [{ test: /@lezer\/common/, sideEffects: false }] },
      output: { chunkFileNames: 'assets/[name]-[hash:7].js', assetFileNames: 'assets/[name]-[hash:6][extname]' },
    },
  },
})
