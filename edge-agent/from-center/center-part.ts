import { createHash } from 'node:crypto'
import { type Document, isMap, isNode, parseDocument, stringify, visit } from 'yaml'
import { CONFIG_HASH_CHARS } from '#contract/site-config.ts'
import type { CenterPart, EdgeSettings } from '../settings.ts'

/** Which part of a site's file the center may see and change, and how the two parts are joined. Pure. */

/** Who the site is, whom it believes, where it keeps what: whoever stands at the site says it, and nobody else is told. */
export const OWN_SETTINGS: readonly (readonly string[])[] = [
  ['site'],
  ['area'],
  ['broker', 'url'],
  ['broker', 'username'],
  ['broker', 'password'],
  ['broker', 'client_id'],
  ['outbox', 'path'],
  ['uplink', 'receipts'],
  ['page'],
  ['control'],
  ['journal'],
]

export const hashOfConfig = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, CONFIG_HASH_CHARS)

/** @param text a site's whole file, without mistakes. @returns the rest of it when its own settings are taken out, as YAML with its comments. */
export function centerPartOf(text: string): string {
  const doc = withoutAliases(parseDocument(text))
  for (const path of OWN_SETTINGS) if (doc.hasIn(path)) doc.deleteIn(path)
  for (const section of new Set(OWN_SETTINGS.flatMap(([first, second]) => (first !== undefined && second !== undefined ? [first] : [])))) {
    const parent = doc.get(section, true)
    if (!isMap(parent)) continue
    // What stands beside a password as a comment may be another one.
    parent.comment = null
    parent.commentBefore = null
    if (parent.items.length === 0) doc.delete(section)
  }
  doc.comment = null
  doc.commentBefore = null
  if (isNode(doc.contents)) {
    doc.contents.comment = null
    doc.contents.commentBefore = null
  }
  return doc.toString({ lineWidth: 0 })
}

/** An alias can't stand without what it repeats. */
function withoutAliases(doc: Document): Document {
  let has = false
  visit(doc, {
    Alias: () => {
      has = true
      return visit.BREAK
    },
  })
  return has ? parseDocument(stringify(doc.toJS(), { aliasDuplicateObjects: false })) : doc
}

/** The site's settings with the center's part in place of its own; of each leaf's limits the narrower ones hold. */
export function joined(own: EdgeSettings, part: CenterPart): EdgeSettings {
  return {
    ...own,
    broker: { ...own.broker, ...part.broker },
    outbox: { ...own.outbox, ...part.outbox },
    poll: part.poll,
    report: part.report,
    uplink: { ...part.uplink, receipts: own.uplink.receipts },
    buses: part.buses,
  }
}
