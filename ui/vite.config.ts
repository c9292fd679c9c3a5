import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

// `npm run dev` shows the pages of a running server: TARN_SERVER=http://127.0.0.1:7070.
const server = process.env.TARN_SERVER ?? "http://127.0.0.1:7070";

export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: process.env.TARN_UI_OUT ?? "dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": server, "/login": server } },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
