import { fileURLToPath } from 'node:url'
import type { BuildOptions } from 'esbuild'

/** How esbuild makes a page's script of the package: the browser's side of the platform is taken, nothing is written. */
export const forBrowser = {
  absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
  bundle: true,
  platform: 'browser',
  format: 'esm',
  write: false,
  logLevel: 'silent',
} as const satisfies BuildOptions
