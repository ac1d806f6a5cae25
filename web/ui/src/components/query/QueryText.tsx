import { tokenize } from '@/lib/query/tokens'
import { TOKEN_CLASS } from './classes'

/** A query to read, in the colours of the query box. */
export function QueryText({ text, className }: { readonly text: string; readonly className?: string | undefined }) {
  return (
    <code className={className}>
      {tokenize(text).map((token) => <span key={token.from} className={TOKEN_CLASS[token.kind]}>{text.slice(token.from, token.to)}</span>)}
    </code>
  )
}
