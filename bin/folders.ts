import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// bin/ when run from source and dist/ when bundled: both lie directly below the package.
const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Files that the program reads at run time. */
export const folders = {
  root,
  district: join(root, 'districts', 'hetao'),
  profiles: join(root, 'edge-agent', 'profiles'),
  migrations: join(root, 'registry', 'migrations'),
  dashboard: join(root, 'dist', 'dashboard'),
}

/** The profile that the simulated gates serve. */
export const DEMO_PROFILE = 'sluice-gate-rtu'
