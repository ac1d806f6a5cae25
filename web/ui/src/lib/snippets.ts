/** Commands to copy from empty pages. */

/** One line of JSON to this server. */
export const sendSnippet = (origin: string, token?: string): string =>
  `curl ${origin}/api/v1/logs \\\n${token ? `  -H 'Authorization: Bearer ${token}' \\\n` : ''}  -H 'Content-Type: application/x-ndjson' \\\n  -d '{"severity":"INFO","service":"hello","message":"hello from curl"}'`

/** The script of a page whose browsers send with this key. */
export const pageSnippet = (origin: string, key: string): string => `<script src="${origin}/cordwood.js" data-key="${key}" data-service="shop"></script>`
