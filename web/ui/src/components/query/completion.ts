/** Completion in the query box. Loaded when the box is first used: reading needs none of it. */
import {
  acceptCompletion, autocompletion, closeCompletion, completionStatus, moveCompletionSelection, selectedCompletionIndex, startCompletion,
  type CompletionContext, type CompletionResult,
} from '@codemirror/autocomplete'
import { Prec, type Extension } from '@codemirror/state'
import { keymap, type Command } from '@codemirror/view'
import { api, type Window } from '@/api/client'
import './completion.css'

export { startCompletion }

/** After white space only what cannot be guessed is offered unasked: a stage after a pipe, a key after `by`. */
const WORTH_ASKING = /(?:\S|\|\s+|\bby\s+)$/

/** The server counts characters, the editor UTF-16 units. */
const characters = (text: string): number => Array.from(text).length
const units = (text: string, count: number): number => Array.from(text).slice(0, count).join('').length

function source(range: () => Window) {
  return async ({ state, pos, explicit, aborted }: CompletionContext): Promise<CompletionResult | null> => {
    const text = state.doc.toString()
    const before = text.slice(0, pos)
    if (aborted || !(explicit || WORTH_ASKING.test(before))) return null
    const found = await api.complete({ query: text, cursor: characters(before), ...range() }).catch(() => null) // who types needs no error for it
    if (!found || found.items.length === 0) return null
    const options = found.items.map((item) => ({ label: item.text.trimEnd(), apply: item.text, detail: item.detail, type: item.kind, ...(item.about && { info: item.about }) }))
    return { from: units(text, found.start), to: pos, options, filter: false }
  }
}

/** Nothing is chosen until somebody asks for it: Enter runs what was typed, and the up arrow stays the history's. */
const acceptFirst: Command = (view) => {
  if (completionStatus(view.state) !== 'active') return false
  if (selectedCompletionIndex(view.state) === null) moveCompletionSelection(true)(view)
  return acceptCompletion(view)
}
const up: Command = (view) => selectedCompletionIndex(view.state) !== null && moveCompletionSelection(false)(view)

export function completion(range: () => Window): Extension {
  return [
    autocompletion({
      override: [source(range)],
      selectOnOpen: false,
      interactionDelay: 0, // nothing is chosen that nobody meant
      icons: false,
      defaultKeymap: false,
      maxRenderedOptions: 50,
      activateOnCompletion: ({ apply }) => typeof apply === 'string' && /[:(=]$/.test(apply),
    }),
    Prec.highest(keymap.of([
      { key: 'Ctrl-Space', run: startCompletion },
      { key: 'Tab', run: acceptFirst },
      { key: 'Enter', run: (view) => acceptCompletion(view) || (closeCompletion(view), false) },
      { key: 'ArrowDown', run: moveCompletionSelection(true) },
      { key: 'ArrowUp', run: up },
      { key: 'PageDown', run: moveCompletionSelection(true, 'page') },
      { key: 'Escape', run: closeCompletion },
    ])),
  ]
}
