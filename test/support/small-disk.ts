import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { tempFolder } from './servers.ts'

export type SmallDisk = { readonly folder: string; resize(size: string): void; remove(): void }

/** A disk of so much, like `20m`. @returns null without the right to mount one, which a container or a plain user may not have. */
export function openSmallDisk(name: string, size: string): SmallDisk | null {
  const folder = tempFolder(name)
  mkdirSync(folder, { recursive: true })
  const mount = (...options: string[]): void => void execFileSync('mount', [...options, folder], { stdio: 'pipe' })
  try {
    mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs')
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return null
  }
  return {
    folder,
    resize: (to) => mount('-o', `remount,size=${to}`),
    remove: () => {
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
