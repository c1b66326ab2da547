/** The text of a CSV as it is saved: in UTF-8, or in GB18030 as a Chinese Excel does. */
export function csvText(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    // Not UTF-8. Whatever else it is becomes rows that the server refuses one by one.
    return new TextDecoder('gb18030').decode(bytes)
  }
}
