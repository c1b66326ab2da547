import { build, install } from './prepare.mjs'

install()
build()
process.argv.splice(2, 0, 'demo')
process.setSourceMapsEnabled(true)
await import('../dist/sluice.js')
