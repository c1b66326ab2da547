import { expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { checkEdgeSettings, EdgeSettings } from './settings.ts'

const site = (buses: string): string => `site: s1
area: a1
broker: { url: 'mqtt://127.0.0.1:1883' }
outbox: { path: /tmp/outbox }
buses:
${buses}`
const devices = (structure = 'g1'): string => `devices: [{ structure: ${structure}, unit: 1, profile: p }]`
const parse = (buses: string): EdgeSettings => parseConfig(EdgeSettings, { file: 'site.yaml', text: site(buses) })
const check = (buses: string): void => checkEdgeSettings(parse(buses))

test('each kind of bus has its own settings and its own defaults', () => {
  const { buses } = parse(`  - { name: a, host: 10.0.0.1, ${devices('g1')} }
  - { name: b, transport: serial, path: /dev/ttyS0, parity: even, ${devices('g2')} }
  - { name: c, transport: rtu-over-tcp, host: 10.0.0.2, port: 8899, heartbeat: 'hex:fe', ${devices('g3')} }
  - { name: d, transport: dtu, listen_port: 9000, registration: SITE-1, ${devices('g4')} }`)
  expect(buses.map(({ devices, ...bus }) => bus)).toEqual([
    { name: 'a', transport: 'tcp', host: '10.0.0.1', port: 502, timeout_ms: 2000, pause_ms: 0 },
    {
      name: 'b',
      transport: 'serial',
      path: '/dev/ttyS0',
      baud_rate: 9600,
      parity: 'even',
      stop_bits: 1,
      timeout_ms: 1000,
      pause_ms: 0,
      late_ms: 1000,
    },
    {
      name: 'c',
      transport: 'rtu-over-tcp',
      host: '10.0.0.2',
      port: 8899,
      heartbeat: 'hex:fe',
      timeout_ms: 5000,
      pause_ms: 20,
      late_ms: 15_000,
    },
    {
      name: 'd',
      transport: 'dtu',
      listen_host: '127.0.0.1',
      listen_port: 9000,
      registration: 'SITE-1',
      timeout_ms: 5000,
      pause_ms: 20,
      late_ms: 15_000,
    },
  ])
})

test('a mistake is told in the words of the kind of bus that was meant', () => {
  expect(() => parse(`  - { name: b, transport: serial, host: 10.0.0.1, ${devices()} }`)).toThrow(
    /buses\.0\.path: is missing[\s\S]*buses\.0\.host: is not a setting/,
  )
  expect(() => parse(`  - { name: b, transport: serial, path: /dev/ttyS0, parity: mark, ${devices()} }`)).toThrow(
    'buses.0.parity: must be one of none, even, odd',
  )
  expect(() => parse(`  - { name: b, transport: canbus, ${devices()} }`)).toThrow(
    'site.yaml:6:16: buses.0.transport: must be one of tcp, serial, rtu-over-tcp, dtu',
  )
  expect(() => parse(`  - { name: b, host: x, port: 99999, ${devices()} }`)).toThrow('buses.0.port: must be <= 65535')
})

test('DTUs at one port that can not be told apart, and a serial port that stands twice, are refused', () => {
  const dtu = (name: string, more: string): string => `  - { name: ${name}, transport: dtu, listen_port: 9000, ${more} ${devices(name)} }\n`
  expect(() => check(dtu('a', '') + dtu('b', "registration: 'R1',"))).toThrow('bus a shares its port and needs a registration')
  expect(() => check(dtu('a', "registration: 'R1',") + dtu('b', "registration: 'R10',"))).toThrow('part of that of bus b')
  const serial = (name: string): string => `  - { name: ${name}, transport: serial, path: /dev/ttyS0, ${devices(name)} }\n`
  expect(() => check(serial('a') + serial('b'))).toThrow('serial port /dev/ttyS0 stands twice')
  expect(() => check(dtu('a', "registration: 'R1',") + dtu('b', "registration: 'R2',"))).not.toThrow()
})
