/** The query box's CodeMirror parts: colours from our own tokens, and the mark under a mistake. */
import { StateEffect, StateField, type Extension, type Text } from '@codemirror/state'
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from '@codemirror/view'
import { tokenize } from '@/lib/query/tokens'
import { TOKEN_CLASS } from './classes'

const MARKS = new Map(Object.entries(TOKEN_CLASS).map(([kind, name]) => [kind, Decoration.mark({ class: name })]))

/** Queries are short: the whole text is coloured anew at every change. */
function colour(text: string): DecorationSet {
  const ranges = tokenize(text).flatMap((token) => {
    const mark = MARKS.get(token.kind)
    return mark ? [mark.range(token.from, token.to)] : []
  })
  return Decoration.set(ranges)
}

export const highlighting: Extension = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = colour(view.state.doc.toString())
    }
    update(update: ViewUpdate): void {
      if (update.docChanged) this.decorations = colour(update.state.doc.toString())
    }
  },
  { decorations: (plugin) => plugin.decorations },
)

/** A place in the text, both counted from 1, as the server gives it; null takes the mark away. */
export const setMistake = StateEffect.define<{ line: number; column: number } | null>()

export const mistakes = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = transaction.docChanged ? Decoration.none : marks
    for (const effect of transaction.effects) {
      if (!effect.is(setMistake)) continue
      const range = effect.value && mistakeRange(transaction.state.doc, effect.value.line, effect.value.column)
      next = range ? Decoration.set([Decoration.mark({ class: 'q-mistake' }).range(range.from, range.to)]) : Decoration.none
    }
    return next
  },
  provide: (field) => EditorView.decorations.from(field),
})

/** The token at the place, or the last character where the mistake is that something is missing at the end. */
export function mistakeRange(doc: Text, line: number, column: number): { from: number; to: number } | null {
  if (doc.length === 0) return null
  const at = doc.line(Math.max(1, Math.min(line, doc.lines)))
  const from = Math.min(at.from + Math.max(0, column - 1), at.to)
  const token = tokenize(doc.toString()).find((one) => from >= one.from && from < one.to && one.kind !== 'space')
  if (token) return { from, to: token.to }
  return from > at.from ? { from: from - 1, to: from } : { from, to: Math.min(doc.length, from + 1) }
}
