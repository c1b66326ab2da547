import { expect } from 'vitest'
import type { App } from '../app.ts'

export type Reply = Awaited<ReturnType<App['inject']>>

/** Every refusal is an RFC 9457 document that says what happened and what to do, and nothing of our insides. */
export function expectProblem(reply: Reply, status: number, code: string): void {
  expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(reply.json()).toMatchObject({ status, code, type: expect.stringMatching(/^urn:sluice:fault:/), title: expect.any(String) })
  expect(reply.statusCode).toBe(status)
  expect(reply.json().detail).not.toBe('')
  expect(reply.json().next).not.toBe('')
  expect(reply.body).not.toMatch(/node_modules|\.ts:|at .*\(/)
}
