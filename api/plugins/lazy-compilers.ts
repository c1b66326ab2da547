import { AjvCompiler } from '@fastify/ajv-compiler'
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import type { FastifyServerOptions } from 'fastify'

type Compilers = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>

const validators = AjvCompiler()
const serializers = SerializerSelector()

function buildValidator(...options: Parameters<typeof validators>): ReturnType<typeof validators> {
  const compile = validators(...options)
  return (route) => {
    let validate: ReturnType<typeof compile> | undefined
    const lazy = Object.assign(
      (data: unknown): unknown => {
        validate ??= compile(route)
        const sound = validate(data)
        lazy.errors = validate.errors
        return sound
      },
      { errors: undefined as ReturnType<typeof compile>['errors'] },
    )
    // Fastify calls it and reads its errors, and nothing else of Ajv's type.
    return lazy as unknown as ReturnType<typeof compile>
  }
}

function buildSerializer(...options: Parameters<typeof serializers>): ReturnType<typeof serializers> {
  const compile = serializers(...options)
  return (route) => {
    let serialize: ReturnType<typeof compile> | undefined
    return (reply) => {
      serialize ??= compile(route)
      return serialize(reply)
    }
  }
}

/** Fastify's own compilers, asked at a route's first request: for all routes at once they take longer than all else that the API does to start. */
export const lazyCompilers: Compilers = { buildValidator, buildSerializer }
