/** The words of a search, as one expression that finds them in a message to mark them. */
import { searchPart } from './edit'
import { tokenize } from './tokens'

/** Null where nothing is to be marked. The expression has one group, so that `split` keeps what it found at the odd places. */
export function marksOf(query: string): RegExp | null {
  const search = searchPart(query)
  const tokens = tokenize(search)
  const words = tokens.flatMap((token, at) => {
    const before = tokens[at - 1]?.kind
    if (before === 'operator' || !['word', 'string'].includes(token.kind)) return []
    const text = search.slice(token.from, token.to).replace(/^["']|["']$/g, '')
    return text.length > 1 ? [text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')] : []
  })
  return words.length > 0 ? new RegExp(`(${words.join('|')})`, 'gi') : null
}
