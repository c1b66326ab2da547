import { type InjectionKey, inject } from 'vue'
import type { Client } from './client.ts'

export const CLIENT: InjectionKey<Client> = Symbol('client')

/** The server, as main.ts has opened it. For components and stores. */
export function useClient(): Client {
  const client = inject(CLIENT)
  if (!client) throw new Error('main.ts provides no client')
  return client
}
