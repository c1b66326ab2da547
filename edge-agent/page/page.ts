import { createHash } from 'node:crypto'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

/** The one document. Everything is in it; the policy lets nothing else in. */

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
export const PAGE_POLICY = `default-src 'none'; script-src ${hash(SCRIPT)}; style-src ${hash(STYLE)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

export const PAGE = `<!doctype html>
<html lang="zh">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice</title>
<style>${STYLE}</style>
<header><h1 id="site">Sluice</h1><button id="language" type="button"></button></header>
<main id="main"></main>
<script>${SCRIPT}</script>
</html>
`
