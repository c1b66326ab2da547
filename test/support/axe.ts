/** Deque's accessibility rules, run in the page. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

type Found = { violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }

/** What WCAG 2 A and AA find wrong on the page as it stands, one line for each element. The page's security policy lets no script in: it goes by the debugger. */
export async function axeFaults(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe.source)
  const { violations } = await page.evaluate<Found>(
    `axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })`,
  )
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((n) => `${id}: ${n.html.slice(0, 160)} ${(n.failureSummary ?? '').split('\n')[1]?.trim().slice(0, 200) ?? ''}`),
  )
}
