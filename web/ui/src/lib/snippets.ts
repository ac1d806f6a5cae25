/** Commands to copy from empty pages. */

/** One line of JSON to this server. */
export const sendSnippet = (origin: string): string =>
  `curl ${origin}/api/v1/logs -H 'Content-Type: application/x-ndjson' \\\n  -d '{"severity":"INFO","service":"hello","message":"first event from curl"}'`
