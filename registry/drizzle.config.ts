import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: ['./registry/schema.ts', './registry/tables/*.ts'],
  out: './registry/migrations',
})
