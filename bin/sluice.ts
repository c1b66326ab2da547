import { program } from './commands.ts'
import { runProgram } from './program.ts'

await runProgram(program)
