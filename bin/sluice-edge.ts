import { Command } from 'commander'
import { VERSION } from '#contract/version.ts'
import { addEdgeCommands } from './edge-commands.ts'
import { runProgram, stop } from './program.ts'

/** What the archive for a gatehouse holds: `sluice edge …` and nothing of the center. */
const program = new Command('sluice').description('Open telemetry and SCADA for irrigation districts').version(VERSION)
addEdgeCommands(program.command('edge').description('the agent of one site'), stop.signal)
await runProgram(program)
