import { marked, type Token, type Tokens } from 'marked'
import { Fragment, useMemo, type ReactNode } from 'react'
import styles from './Panels.module.css'

/** Markdown as elements: no HTML is ever made of it, so what stands in it as HTML is shown as it is written. */
export function Markdown({ text }: { readonly text: string }) {
  const tokens = useMemo(() => marked.lexer(text, { gfm: true }), [text])
  return <div className={styles.markdown}>{blocks(tokens)}</div>
}

/** Addresses that a text may lead to; others, `javascript:` among them, are no links. */
const SAFE = /^(https?:\/\/|mailto:|\/(?!\/)|#)/i

function blocks(tokens: readonly Token[]): ReactNode {
  return tokens.map((token, at) => <Fragment key={at}>{block(token)}</Fragment>)
}

function block(token: Token): ReactNode {
  switch (token.type) {
    case 'heading': {
      // The page's title is the first heading, and the panel's the second.
      const Level = (['h3', 'h4', 'h5'] as const)[Math.min(2, (token as Tokens.Heading).depth - 1)] ?? 'h5'
      return <Level>{inline(token.tokens)}</Level>
    }
    case 'paragraph': return <p>{inline(token.tokens)}</p>
    case 'blockquote': return <blockquote>{blocks(token.tokens ?? [])}</blockquote>
    case 'code': return <pre tabIndex={0}>{(token as Tokens.Code).text}</pre>
    case 'hr': return <hr />
    case 'list': {
      const list = token as Tokens.List
      const items = list.items.map((item, at) => <li key={at}>{blocks(item.tokens)}</li>)
      return list.ordered ? <ol start={list.start === '' ? 1 : list.start}>{items}</ol> : <ul>{items}</ul>
    }
    case 'table': {
      const table = token as Tokens.Table
      return (
        <table>
          <thead><tr>{table.header.map((cell, at) => <th key={at}>{inline(cell.tokens)}</th>)}</tr></thead>
          <tbody>{table.rows.map((row, line) => <tr key={line}>{row.map((cell, at) => <td key={at}>{inline(cell.tokens)}</td>)}</tr>)}</tbody>
        </table>
      )
    }
    case 'text': return inline(token.tokens ?? [token])
    case 'space': case 'def': return null
    default: return <p>{token.raw}</p>
  }
}

function inline(tokens: readonly Token[] | undefined): ReactNode {
  return (tokens ?? []).map((token, at) => <Fragment key={at}>{piece(token)}</Fragment>)
}

function piece(token: Token): ReactNode {
  switch (token.type) {
    case 'strong': return <strong>{inline(token.tokens)}</strong>
    case 'em': return <em>{inline(token.tokens)}</em>
    case 'del': return <s>{inline(token.tokens)}</s>
    case 'codespan': return <code>{(token as Tokens.Codespan).text}</code>
    case 'br': return <br />
    case 'link': {
      const { href } = token as Tokens.Link
      return SAFE.test(href) ? <a href={href} rel="noreferrer">{inline(token.tokens)}</a> : inline(token.tokens)
    }
    case 'image': return (token as Tokens.Image).text // the page loads nothing from elsewhere
    case 'escape': return (token as Tokens.Escape).text
    case 'text': {
      const { tokens, text } = token as Tokens.Text
      return tokens ? inline(tokens) : unescaped(text)
    }
    default: return token.raw
  }
}

/** The lexer's texts are as they were written; only the few entities that people type are read. */
const unescaped = (text: string): string => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] ?? '')
