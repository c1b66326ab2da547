import type { BuildOptions } from 'esbuild'

export const BUNDLING: Required<Pick<BuildOptions, 'bundle' | 'platform' | 'format' | 'target' | 'external' | 'banner' | 'logLevel'>>
