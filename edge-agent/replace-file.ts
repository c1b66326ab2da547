import { open, rename } from 'node:fs/promises'

/** Replaces a file as a whole, durably: whenever the machine stops, the old one or the new one is there. */
export async function replaceFile(folder: string, file: string, text: string): Promise<void> {
  const next = `${file}.next`
  const handle = await open(next, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(next, file)
  // The name must survive a power cut too.
  const directory = await open(folder, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
