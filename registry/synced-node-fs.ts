import { closeSync, fsyncSync, openSync } from 'node:fs'
import type { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

type Init = Awaited<ReturnType<NodeFS['init']>>
type Stream = { readonly nfd?: number; readonly node: object }
type NodeFsModule = {
  readonly NODEFS: { readonly stream_ops: { fsync?: (stream: Stream) => number }; realPath(node: object): string }
  readonly FS: { readonly ErrnoError: new (errno: number) => Error }
}

const EIO = 29

/**
 * PGlite's files on disk, with the fsync that PGlite leaves out. As it comes (0.5.16) it starts PostgreSQL with `-F` (fsync off), and Emscripten's
 * NODEFS has no fsync at all, so a power cut can take what was committed, or the whole database, `relaxedDurability` or not.
 */
export class SyncedNodeFs extends NodeFS {
  /** Start parameters that make PostgreSQL ask for the syncs. Emscripten answers `fdatasync`, the default, without doing anything. */
  static startParams(defaults: readonly string[]): string[] {
    return [...defaults.filter((p) => p !== '-F'), '-c', 'wal_sync_method=fsync']
  }

  override async init(pg: PGlite, options: Parameters<NodeFS['init']>[1]): Promise<Init> {
    const { emscriptenOpts } = await super.init(pg, options)
    const preRun = [emscriptenOpts.preRun ?? []].flat()
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...preRun, (module: unknown) => addFsync(module as NodeFsModule)] } }
  }
}

function addFsync({ NODEFS, FS }: NodeFsModule): void {
  NODEFS.stream_ops.fsync = (stream) => {
    try {
      if (stream.nfd !== undefined) fsyncSync(stream.nfd)
      else syncFolder(NODEFS.realPath(stream.node))
      return 0
    } catch {
      // PostgreSQL knows error numbers only; on this one it stops rather than trust the disk.
      throw new FS.ErrnoError(EIO)
    }
  }
}

function syncFolder(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
