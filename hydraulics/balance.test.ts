import { expect, test } from 'vitest'
import { type BalanceTerm, balanceOf, sumTerms } from './balance.ts'
import { cubicMetres } from './volume-units.ts'

const term = (volume: number | null, plusMinus: number, completeness = 1): BalanceTerm => ({
  volume: volume === null ? null : cubicMetres(volume),
  plusMinus: volume === null ? null : cubicMetres(plusMinus),
  completeness,
})

test('what comes in and neither goes out, nor to the fields, nor fills the reach is lost, give or take the error of them all', () => {
  const offtakes = sumTerms([term(100, 3), term(200, 4)])
  expect(offtakes).toEqual({ volume: 300, plusMinus: 5, completeness: 1 })
  const balance = balanceOf({ in: term(1000, 12), out: term(600, 0), offtakes, storage: term(-20, 0) })
  expect(balance).toEqual({ loss: 120, plusMinus: 13, lossShare: 0.12, completeness: 1 })
})

test('a term of which nothing is known leaves the loss unknown, and the least complete one tells how far to trust it', () => {
  const rest = { out: term(600, 30), offtakes: sumTerms([]), storage: null }
  expect(balanceOf({ in: term(null, 0, 0), ...rest })).toEqual({ loss: null, plusMinus: null, lossShare: null, completeness: 0 })
  expect(balanceOf({ in: term(1000, 40, 0.8), ...rest })).toMatchObject({ loss: 400, plusMinus: 50, completeness: 0.8 })
  expect(balanceOf({ in: term(0, 0), ...rest }).lossShare).toBeNull()
})
