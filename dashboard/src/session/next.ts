/** Where to go after signing in. Only a page of ours: the address may come from a link that somebody sent. */
export function nextAfterSignIn(next: unknown): string {
  const ours = typeof next === 'string' && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in')
  return ours ? next : '/'
}
