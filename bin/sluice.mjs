#!/usr/bin/env node
import { build, install } from './prepare.mjs'

install()
build()
process.setSourceMapsEnabled(true)
await import('../dist/sluice.js')
