import { history, historyKeymap } from '@codemirror/commands'
import { Compartment, EditorState, Prec } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { Search } from 'lucide-react'
import { useEffect, useEffectEvent, useImperativeHandle, useRef, type Ref } from 'react'
import type { Window } from '@/api/client'
import type { Place } from '@/api/problem'
import { historyPreference } from '@/lib/prefs'
import { highlighting, mistakes, setMistake } from './editor'
import styles from './QueryBox.module.css'

export interface QueryBoxHandle {
  focus: () => void
  /** What stands in the box now, run or not. */
  text: () => string
}

interface QueryBoxProps {
  readonly value: string
  readonly onRun: (text: string) => void
  readonly mistake?: Place | null
  readonly hint: string
  readonly label: string
  /** Of which events fields and values are offered as completions. */
  readonly range?: () => Window
  /** The id of the element that explains a mistake. */
  readonly describedBy?: string
  readonly ref?: Ref<QueryBoxHandle>
}

/** The query box. Enter runs, Shift-Enter begins a line, the up and down arrows go through past queries, Escape leaves. */
export function QueryBox({ value, onRun, mistake = null, hint, label, range, describedBy, ref }: QueryBoxProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const recalled = useRef(-1) // place in the history; -1: what was typed
  const draft = useRef('')
  const run = useEffectEvent((text: string) => onRun(text))
  const initial = useEffectEvent(() => value)
  const offered = useEffectEvent(() => range?.() ?? {})

  useImperativeHandle(ref, () => ({
    focus: () => view.current?.focus(),
    text: () => view.current?.state.doc.toString() ?? '',
  }))

  useEffect(() => {
    if (!host.current) return undefined
    /** Step through the history; only from the first or last line, so that arrows still move inside a long query. */
    const recall = (editor: EditorView, step: 1 | -1): boolean => {
      const { doc, selection } = editor.state
      const edge = step === 1 ? 1 : doc.lines
      if (doc.lineAt(selection.main.head).number !== edge) return false
      const past = historyPreference.get()
      const next = recalled.current + step
      if (next >= past.length || next < -1) return false
      if (recalled.current === -1) draft.current = doc.toString()
      recalled.current = next
      const text = next === -1 ? draft.current : past[next] ?? ''
      editor.dispatch({ changes: { from: 0, to: doc.length, insert: text }, selection: { anchor: text.length } })
      return true
    }
    const completing = new Compartment()
    /** Load what offers completions. Whoever only reads never does; if it cannot be had, one types all by oneself. */
    const begin = (): void => {
      const { doc } = editor.state
      import('./completion').then(({ completion, startCompletion }) => {
        editor.dispatch({ effects: completing.reconfigure(completion(() => offered())) })
        if (!editor.state.doc.eq(doc)) startCompletion(editor)
      }, () => undefined)
    }
    const editor: EditorView = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: initial(),
        extensions: [
          history(),
          Prec.high(keymap.of([
            { key: 'Enter', run: (at) => (run(at.state.doc.toString().trim()), true), shift: (at) => (at.dispatch(at.state.replaceSelection('\n')), true) },
            { key: 'Mod-Enter', run: (at) => (run(at.state.doc.toString().trim()), true) },
            { key: 'ArrowUp', run: (at) => recall(at, 1) },
            { key: 'ArrowDown', run: (at) => recall(at, -1) },
            { key: 'Escape', run: (at) => (at.contentDOM.blur(), true) },
          ])),
          keymap.of(historyKeymap), // moving and deleting are the browser's own: CodeMirror's commands bring 15 KB of language support along
          placeholder(hint),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocorrect: 'off', autocapitalize: 'off', 'aria-multiline': 'true' }),
          highlighting,
          mistakes,
          completing.of(EditorView.domEventHandlers({ focus: () => (begin(), false) })),
        ],
      }),
    })
    view.current = editor
    return () => {
      editor.destroy()
      view.current = null
    }
  }, [hint, label])

  useEffect(() => {
    const editor = view.current
    recalled.current = -1
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value }, selection: { anchor: value.length } })
    }
  }, [value])

  useEffect(() => {
    const content = view.current?.contentDOM
    view.current?.dispatch({ effects: setMistake.of(mistake) })
    content?.toggleAttribute('aria-invalid', mistake !== null)
    if (mistake && describedBy) content?.setAttribute('aria-describedby', describedBy)
    else content?.removeAttribute('aria-describedby')
  }, [mistake, describedBy, value])

  return (
    <div className={styles.box} data-invalid={mistake !== null || undefined}>
      <Search className={styles.glass} aria-hidden />
      <div ref={host} className={styles.host} />
    </div>
  )
}
