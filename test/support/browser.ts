/** Debian's Chromium, driven by playwright-core. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page, type Request } from 'playwright-core'
import { root } from './program.ts'

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

export type Visitor = {
  readonly page: Page
  /** Script errors, refused resources and requests to anywhere else than the server, since the page was opened. */
  readonly troubles: string[]
  /** Over the wire since the page was opened, as compressed; without what came by the socket. */
  bytes(): Promise<number>
  close(): Promise<void>
}

export async function visit(
  browser: Browser,
  address: string,
  options: { width?: number; height?: number; locale?: 'zh-CN' | 'en-GB'; dark?: boolean } = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1600, height: options.height ?? 1000 },
    locale: options.locale ?? 'zh-CN',
    colorScheme: options.dark ? 'dark' : 'light',
  })
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('console', (message) => {
    // Being refused before signing in is how the page learns that nobody is signed in.
    if (message.type() === 'error' && !message.text().includes('401')) troubles.push(message.text())
  })
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (protocol.startsWith('http') && origin !== new URL(address).origin) troubles.push(`asked ${request.url()}`)
  })
  const requests: Request[] = []
  page.on('requestfinished', (request) => requests.push(request))
  await page.goto(address)
  const bytes = async (): Promise<number> => {
    const sizes = await Promise.all(requests.map((r) => r.sizes()))
    return sizes.reduce((sum, s) => sum + s.responseBodySize + s.responseHeadersSize, 0)
  }
  return { page, troubles, bytes, close: () => context.close() }
}

export async function signIn(page: Page, who: { login: string; password: string }): Promise<void> {
  await page.locator('input[type="password"]').waitFor()
  await page.locator('input[autocomplete="username"]').fill(who.login)
  await page.locator('input[type="password"]').fill(who.password)
  await page.keyboard.press('Enter')
}

/** Kept in test/output (not in git), or in docs/ when SLUICE_UPDATE_SCREENSHOTS is set. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = join(root, process.env['SLUICE_UPDATE_SCREENSHOTS'] ? 'docs' : 'test/output')
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
