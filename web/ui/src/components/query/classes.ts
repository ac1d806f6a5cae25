import type { TokenKind } from '@/lib/query/tokens'

/** The classes of `styles/query.css`. */
export const TOKEN_CLASS: Partial<Record<TokenKind, string>> = {
  field: 'q-field', operator: 'q-operator', string: 'q-string', regex: 'q-regex', number: 'q-number',
  keyword: 'q-keyword', stage: 'q-stage', function: 'q-function', pipe: 'q-pipe', open: 'q-dim', close: 'q-dim', comma: 'q-dim',
}
