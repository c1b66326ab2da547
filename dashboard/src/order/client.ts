import type { NewOrder, OrderDetail, OrderList, OrderView } from '#contract/http/order.ts'
import type { OrderDeed } from '#contract/order.ts'

export type Read = <T>(path: string, init?: RequestInit) => Promise<T>
/** The server's `/api/v1/orders` as functions. Each @throws RequestFailure */
export type OrderClient = {
  list(page: { limit: number; offset: number }): Promise<OrderList>
  read(id: string): Promise<OrderDetail>
  draft(order: NewOrder): Promise<OrderView>
  step(id: string, step: { deed: OrderDeed; note: string }): Promise<OrderView>
}

export function orderClient(read: Read): OrderClient {
  const post = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const path = (id: string): string => `/orders/${encodeURIComponent(id)}`
  return {
    list: ({ limit, offset }) => read(`/orders?limit=${limit}&offset=${offset}`),
    read: (id) => read(path(id)),
    draft: (order) => read('/orders', post(order)),
    step: (id, step) => read(`${path(id)}/steps`, post(step)),
  }
}
