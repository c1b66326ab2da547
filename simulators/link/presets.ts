import type { LinkSettings } from './settings.ts'

const MINUTE = 60_000
const STEADY = { idle_death_ms: 0, stall_every_ms: 0, stall_ms: 0, outage_every_ms: 0, outage_ms: 0 }

/**
 * Links as they are met. Bandwidth, latency and the idle death of 2.5G: RTT 300–1000 ms, 20–40 kbit/s up, context dropped after 5–30 min idle
 * (industrialmonitordirect.com, "Modbus RTU over GPRS"). Down and 4G: the throttling profiles of Firefox's network monitor (GPRS 50/20 kbit/s
 * and 500 ms; regular 2G 250/50 kbit/s and 300 ms; regular 4G 4/3 Mbit/s and 20 ms). What no source gives is an estimate, and marked so.
 */
export const LINK_PRESETS = {
  /** Nothing is held back: for a test that wants one thing wrong at a time. */
  clear: {
    up_bits_per_s: 1e9,
    down_bits_per_s: 1e9,
    latency_ms: 0,
    jitter_ms: 0,
    buffer_bytes: 1 << 20,
    ...STEADY,
  },
  /** RTT 500–1000 ms. Buffer: estimate, 3 s of the uplink. */
  gprs: {
    up_bits_per_s: 20_000,
    down_bits_per_s: 50_000,
    latency_ms: 250,
    jitter_ms: 250,
    buffer_bytes: 8192,
    ...STEADY,
    idle_death_ms: 30 * MINUTE,
  },
  /** RTT 300–500 ms. Down: estimate, half of what Firefox calls regular 2G. */
  edge: {
    up_bits_per_s: 40_000,
    down_bits_per_s: 120_000,
    latency_ms: 150,
    jitter_ms: 100,
    buffer_bytes: 16_384,
    ...STEADY,
    idle_death_ms: 30 * MINUTE,
  },
  /**
   * GPRS at the edge of a cell: RTT 800–1000 ms. Stalls: of 370 polls over GSM, 4.9 % were later than 2.5 s (iatips.com, January 2007); with an
   * RTT of 0.5 s that is a stall of 4 s about each 41 s, 2 s of which hold a poll for the other 2 s. Outages: estimate, a minute each half hour.
   */
  bad: {
    up_bits_per_s: 20_000,
    down_bits_per_s: 20_000,
    latency_ms: 400,
    jitter_ms: 100,
    buffer_bytes: 8192,
    idle_death_ms: 5 * MINUTE,
    stall_every_ms: 41_000,
    stall_ms: 4000,
    outage_every_ms: 30 * MINUTE,
    outage_ms: MINUTE,
  },
  /** RTT 20–50 ms: an LTE network was measured at 23 ms, 38 ms at most (fiercewireless.com, TeliaSonera, 2011). */
  '4g': {
    up_bits_per_s: 3_000_000,
    down_bits_per_s: 4_000_000,
    latency_ms: 10,
    jitter_ms: 15,
    buffer_bytes: 262_144,
    ...STEADY,
  },
} as const satisfies Record<string, LinkSettings>
export type LinkPreset = keyof typeof LINK_PRESETS
