import { closeSync, fdatasyncSync, fstatSync, openSync, writeSync } from 'node:fs'
import { systemCode } from '#contract/fault.ts'

/** Pages that must be at hand before anything is added; what deletes is content with what is left of them. */
const RESERVE_PAGES = 64
const CHUNK_PAGES = 128

type TreeStats = Record<'treeLeafPageCount' | 'treeBranchPageCount' | 'overflowPages', number>
type Stats = TreeStats & { readonly pageSize: number; readonly lastPageNumber: number; readonly root: TreeStats; readonly free: TreeStats }

/** The part of an lmdb database that counts its pages. */
type Counted = { getStats(): object }

/** Pages of one tree. */
export const pagesOf = (t: TreeStats): number => t.treeLeafPageCount + t.treeBranchPageCount + t.overflowPages

/**
 * Blocks of the disk that belong to the data file before lmdb needs them, so that lmdb itself never meets a full disk. It must not:
 * lmdb-js 3.5.6 writes past its buffer when it words that error (mdb.c, `last_error = malloc(100)`), which ends the process. And to delete,
 * lmdb first writes: without a free block, receipts could not empty the outbox that fills the disk.
 */
export class Room {
  readonly #root: Counted
  readonly #databases: readonly Counted[]
  readonly #file: string

  constructor(root: Counted, databases: readonly Counted[], file: string) {
    this.#root = root
    this.#databases = databases
    this.#file = file
  }

  /** Sees to it that so many writes can be committed. @returns false when the disk has no room. @throws what else the disk said. */
  make(writes: number): boolean {
    const wanted = RESERVE_PAGES + 4 * writes
    const stats = this.#root.getStats() as Stats
    const named = this.#databases.map((db) => pagesOf(db.getStats() as TreeStats)).reduce((a, b) => a + b, 0)
    const used = 2 + pagesOf(stats) + pagesOf(stats.free) + named
    const fd = openSync(this.#file, 'r+')
    try {
      const pages = Math.floor(fstatSync(fd).size / stats.pageSize)
      const atHand = Math.max(pages, stats.lastPageNumber + 1) - used
      return atHand >= wanted || grow(fd, pages * stats.pageSize, Math.max(CHUNK_PAGES, wanted) * stats.pageSize)
    } finally {
      closeSync(fd)
    }
  }
}

/** @returns whether the whole of it is there. */
function grow(fd: number, from: number, bytes: number): boolean {
  try {
    const written = writeSync(fd, Buffer.alloc(bytes), 0, bytes, from)
    fdatasyncSync(fd)
    return written === bytes
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOSPC' || code === 'EDQUOT') return false
    throw error
  }
}
