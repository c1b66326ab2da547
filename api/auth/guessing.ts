import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'

const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })

/** @returns zxcvbn's score, 0 to 4. @param known words that somebody would try first */
export const scoreOf = (password: string, known: string[]): number => zxcvbn.check(password, known).score
