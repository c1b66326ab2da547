import { SCRIPT_TEXTS } from './script-texts.ts'

/** Of the agent's page. Plain JavaScript as a browser reads it; every value goes into the page as text, never as markup. */
export const SCRIPT = `
'use strict'
const TEXTS = ${JSON.stringify(SCRIPT_TEXTS)}
let lang = localStorage.lang === 'en' ? 'en' : 'zh'
const t = (key) => TEXTS[lang][key] ?? key
const h = (tag, props, ...children) => {
  const e = document.createElement(tag)
  for (const [k, v] of Object.entries(props ?? {})) {
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v)
    else if (v !== undefined && v !== false) e.setAttribute(k, v === true ? '' : v)
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined))
  return e
}
const ask = async (method, path, body) => {
  const r = await fetch(path, { method, ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}) })
  const answer = await r.json()
  if (r.status === 401) { signIn(); throw new Error('') }
  if (!r.ok) throw new Error(t(answer.detail) + (answer.next ? ' → ' + t(answer.next) : ''))
  return answer
}
const main = document.getElementById('main')
const field = (name, props, options) =>
  h('label', {}, t(name), options ? h('select', { name, ...props }, options.map((o) => h('option', { value: o }, o))) : h('input', { name, ...props }))
const say = (where, text, kind) => { where.textContent = text; where.className = kind ?? '' }
const form = (fields, button, act) => {
  const said = h('p', { role: 'status' })
  const press = h('button', {}, t(button))
  const f = h('form', { onsubmit: async (e) => {
    e.preventDefault()
    press.disabled = true
    say(said, t('working'))
    try { say(said, (await act(Object.fromEntries(new FormData(f)))) ?? '') } catch (error) { say(said, error.message, 'bad') }
    press.disabled = false
  } }, fields, press)
  return h('div', {}, f, said)
}
function signIn() {
  clearInterval(timer)
  main.replaceChildren(h('h2', {}, t('sign in')), form([field('password', { type: 'password', required: true, autocomplete: 'current-password' })], 'sign in', async ({ password }) => {
    await ask('POST', '/api/sign-in', { password })
    await start()
  }))
}
const number = (n) => Number.isInteger(n) ? String(n) : String(Number(n.toPrecision(6)))
const ago = (ms) => ms === null ? t('never') : Math.round((status.t - ms) / 1000) + ' s ' + t('ago')
let status, timer
const live = h('div'), strokes = h('div'), records = h('div')
function drawLive() {
  document.getElementById('site').textContent = status.site + ' · ' + t(status.stats.connected ? 'connected' : 'not connected')
  live.replaceChildren(...status.devices.flatMap((d) => [
    h('h3', {}, d.structure + ' · ' + t('unit') + ' ' + d.unit),
    h('p', { class: 'dim' }, t('last good') + ' ' + ago(d.last_good_t) + (d.took_ms === null ? '' : ' · ' + d.took_ms + ' ms')),
    h('table', {}, h('tbody', {}, Object.entries(d.readings).map(([m, r]) => h('tr', {},
      h('td', {}, t(m), ' ', h('span', { class: 'dim' }, m)),
      h('td', { class: 'n' }, r.quality === 'bad' ? '' : number(r.value)),
      h('td', { class: r.quality === 'good' ? 'good' : 'bad' }, t(r.quality === 'bad' ? r.reason : r.quality)))))),
  ]))
  const s = status.stroke
  strokes.replaceChildren(
    s.running ? h('p', { role: 'status' }, t('on its way') + ': ' + s.running.structure + ' ' + s.running.leaf + ' · ' + (s.running.opening_m === null ? '' : s.running.opening_m.toFixed(3) + ' m')) : '',
    h('table', {}, h('tbody', {}, s.done.map(({ structure, stroke: k }) => h('tr', {},
      h('td', {}, structure + ' ' + k.leaf),
      h('td', { class: 'n' }, k.from_m.toFixed(3) + ' → ' + k.reached_m.toFixed(3) + ' m'),
      h('td', { class: 'n' }, k.travel_s + ' s'),
      h('td', { class: k.end === 'arrived' ? 'good' : 'bad' }, t(k.end)))))))
}
async function refresh() { try { status = await ask('GET', '/api/status'); drawLive() } catch (error) { document.getElementById('site').textContent = error.message || t('no answer') } }
async function drawRecords() {
  records.replaceChildren(...(await ask('GET', '/api/records')).map(({ record: r, at_center }) => h('div', {},
    h('h3', {}, r.structure + ' · ' + new Date(r.at).toLocaleString(lang === 'zh' ? 'zh-CN' : 'en-GB')),
    h('p', { class: 'dim' }, r.by + ' · ' + t(at_center ? 'at the center' : 'waits for the center') + (r.note ? ' · ' + r.note : '')),
    h('table', {}, h('tbody', {}, r.gauges.map((g) => h('tr', {}, h('td', {}, t(g.metric)), h('td', { class: 'n' }, number(g.gauge)), h('td', { class: 'n' }, g.read === null ? '–' : number(g.read)), h('td', { class: 'n' }, g.read === null ? '' : (g.read - g.gauge).toFixed(3)))))))))
}
function tools() {
  const buses = status.buses.map((b) => b.name)
  const structures = [...new Set(status.devices.map((d) => d.structure))]
  const found = h('div'), matched = h('div')
  const movable = status.leaves.filter((l) => l.can_move).map((l) => l.structure + ' ' + l.leaf)
  const leafOf = (text) => { const [structure, leaf] = text.split(' '); return { structure, leaf: Number(leaf) } }
  let chosen = movable[0]
  const stopped = h('p', { role: 'status' })
  const gauges = status.devices.filter((d) => d.structure === structures[0])
  const metrics = [...new Set(status.devices.flatMap((d) => Object.keys(d.readings)))].filter((m) => /^(level|opening|flow)/.test(m))
  return [
    h('h2', {}, t('scan')),
    form([field('bus', {}, buses), field('from', { type: 'number', value: 1, min: 0, max: 255 }), field('to', { type: 'number', value: 8, min: 0, max: 255 })], 'scan', async (f) => {
      const units = await ask('POST', '/api/scan', { bus: f.bus, from: Number(f.from), to: Number(f.to) })
      found.replaceChildren(h('table', {}, h('tbody', {}, units.map((u) => h('tr', {}, h('td', {}, t('unit') + ' ' + u.unit), h('td', {}, Object.entries(u.answers).filter(([, a]) => a === 'ok').map(([s]) => s).join(', ')), h('td', {}, u.fits.slice(0, 2).map((x) => x.profile + ' ' + x.good + '/' + x.of).join(', '))))))) 
      return units.length + ' ' + t('units answer')
    }), found,
    h('h2', {}, t('word order')),
    form([field('bus', {}, buses), field('unit', { type: 'number', value: status.devices[0]?.unit ?? 1, min: 0, max: 255 }), field('space', {}, ['holding', 'input']), field('address', { type: 'number', value: 0, min: 0, max: 65535 }), field('words', { type: 'number', value: 8, min: 1, max: 32 }), field('gauge', { type: 'number', step: 'any', required: true, inputmode: 'decimal' })], 'compare', async (f) => {
      const r = await ask('POST', '/api/probe', { bus: f.bus, unit: Number(f.unit), space: f.space, address: Number(f.address), words: Number(f.words), near: Number(f.gauge) })
      if (r.failed) { matched.replaceChildren(); return t(r.failed) }
      matched.replaceChildren(h('pre', {}, r.words.map((w) => w.toString(16).toUpperCase().padStart(4, '0')).join(' ')), ...r.matches.map((m) => h('div', {}, h('p', {}, number(m.value), ' ', h('span', { class: 'dim' }, t('off by') + ' ' + number(m.off))), h('pre', {}, m.line))))
      return r.matches.length === 0 ? t('nothing near') : ''
    }), matched,
    h('h2', {}, t('stroke test')),
    movable.length === 0 ? h('p', {}, t('no leaf can be moved')) : h('div', {},
      h('p', { class: 'dim' }, t('stroke warning')),
      form([field('leaf', { onchange: (e) => { chosen = e.target.value } }, movable), field('to_m', { type: 'number', step: '0.001', min: 0, max: 20, required: true, inputmode: 'decimal' })], 'move', async (f) => {
        await ask('POST', '/api/stroke', { ...leafOf(f.leaf), to_m: Number(f.to_m) })
        await refresh()
      }),
      h('button', { class: 'stop', type: 'button', onclick: async () => {
        const leaf = status.stroke.running ?? leafOf(chosen)
        try { say(stopped, t((await ask('POST', '/api/stop', { structure: leaf.structure, leaf: leaf.leaf })).taken ? 'stop taken' : 'stop not taken')) } catch (error) { say(stopped, error.message, 'bad') }
      } }, t('stop')), stopped),
    strokes,
    h('h2', {}, t('sign off')),
    form([field('structure', {}, structures), ...metrics.map((m) => h('label', {}, t(m) + ' · ' + t('gauge'), h('input', { name: 'gauge ' + m, type: 'number', step: 'any', inputmode: 'decimal' }))), field('by', { required: true, maxlength: 100 }), field('note', { maxlength: 2000 })], 'sign off', async (f) => {
      const gauges = Object.entries(f).filter(([k, v]) => k.startsWith('gauge ') && v !== '').map(([k, v]) => ({ metric: k.slice(6), gauge: Number(v) }))
      await ask('POST', '/api/records', { structure: f.structure, by: f.by, note: f.note, gauges })
      await drawRecords()
      return t('signed')
    }), records,
  ]
}
async function start() {
  clearInterval(timer)
  document.documentElement.lang = lang
  const other = document.getElementById('language')
  other.textContent = lang === 'zh' ? 'English' : '中文'
  other.onclick = () => { lang = localStorage.lang = lang === 'zh' ? 'en' : 'zh'; void start() }
  try { status = await ask('GET', '/api/status') } catch { return }
  main.replaceChildren(h('h2', {}, t('readings')), live, ...tools())
  drawLive()
  await drawRecords()
  timer = setInterval(refresh, 2000)
}
void start()
`
