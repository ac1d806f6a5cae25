import { X } from 'lucide-react'
import { useId, useRef, useState } from 'react'
import type { Panel, PanelKind } from '@/api/dashboards'
import type { Place } from '@/api/problem'
import { QueryBox, type QueryBoxHandle } from '@/components/query/QueryBox'
import { Button } from '@/components/ui/Button'
import { Modal } from '@/components/ui/Modal'
import { PanelBody } from './PanelBody'
import { KINDS } from './panels/kinds'
import { usePanel, type Shared } from './usePanel'
import styles from './Editors.module.css'

interface PanelEditorProps {
  readonly panel: Panel
  readonly shared: Shared
  /** What the server refused of this panel when it was last saved. */
  readonly mistake: Place | null
  readonly onDone: (panel: Panel) => void
  readonly onClose: () => void
}

const nothing = (): void => undefined

/** A panel's settings beside the panel as it will be. */
export default function PanelEditor({ panel, shared, mistake, onDone, onClose }: PanelEditorProps) {
  const id = useId()
  const box = useRef<QueryBoxHandle>(null)
  const [draft, setDraft] = useState(panel)
  const found = usePanel(draft, shared)
  const isText = draft.kind === 'markdown'
  const options = draft.options ?? {}
  const [warn, error] = (['warn', 'error'] as const).map((level) => options.thresholds?.find((one) => one.level === level)?.at)
  const set = (part: Partial<Panel>) => setDraft((before) => ({ ...before, ...part }))
  const query = () => box.current?.text().trim() ?? draft.query ?? ''
  const kind = (next: PanelKind) => set(next === 'markdown' ? { kind: next, query: '' } : { kind: next, text: '', ...(box.current && { query: query() }) })
  const threshold = (level: 'warn' | 'error', text: string) => {
    const rest = (options.thresholds ?? []).filter((one) => one.level !== level)
    const at = Number(text)
    const all = text.trim() === '' || !Number.isFinite(at) ? rest : [...rest, { at, level }]
    set({ options: { ...options, thresholds: all.sort((a, b) => a.at - b.at) } })
  }
  return (
    <Modal label={`Edit ${panel.title}`} onClose={onClose} className={styles.wide}>
      <header className={styles.head}>
        <h2>Panel</h2>
        <Button look="quiet" icon={<X />} aria-label="Close" onClick={onClose} />
      </header>
      <div className={styles.editor}>
        <div className={styles.form}>
          <label htmlFor={`${id}title`}>Title</label>
          <input id={`${id}title`} value={draft.title} maxLength={200} onChange={(event) => set({ title: event.target.value })} />
          <fieldset className={styles.kinds}>
            <legend>Shown as</legend>
            {KINDS.map((one) => (
              <label key={one.kind} title={one.about}>
                <input type="radio" name={`${id}kind`} checked={draft.kind === one.kind} onChange={() => kind(one.kind)} />
                {one.name}
              </label>
            ))}
          </fieldset>
          {isText ? (
            <>
              <label htmlFor={`${id}text`}>Markdown</label>
              <textarea id={`${id}text`} rows={10} value={draft.text ?? ''} maxLength={20_000} onChange={(event) => set({ text: event.target.value })} />
            </>
          ) : (
            <>
              <span className={styles.label}>Query</span>
              <div className={styles.query}>
                <QueryBox ref={box} value={draft.query ?? ''} onRun={(text) => set({ query: text.trim() })} mistake={mistake} label="Query of the panel" hint="severity>=error $service | timechart count() by service" range={() => shared.range} />
                <Button onClick={() => set({ query: query() })}>Run</Button>
              </div>
              {shared.variables.length > 0 && <p className={styles.hint}>Variables: {shared.variables.map((variable) => <code key={variable.name}>${variable.name}</code>)}</p>}
              <div className={styles.row}>
                <div>
                  <label htmlFor={`${id}unit`}>Unit</label>
                  <input id={`${id}unit`} value={draft.unit ?? ''} maxLength={20} placeholder="ms" onChange={(event) => set({ unit: event.target.value })} />
                </div>
                <div>
                  <label htmlFor={`${id}decimals`}>Decimals</label>
                  <input id={`${id}decimals`} type="number" min={0} max={6} value={options.decimals ?? ''} placeholder="auto"
                    onChange={(event) => set({ options: { ...options, decimals: event.target.value === '' ? null : Math.max(0, Math.min(6, Math.round(Number(event.target.value)))) } })} />
                </div>
                {draft.kind === 'number' && (
                  <>
                    <div>
                      <label htmlFor={`${id}warn`}>Warns from</label>
                      <input id={`${id}warn`} type="number" step="any" value={warn ?? ''} onChange={(event) => threshold('warn', event.target.value)} />
                    </div>
                    <div>
                      <label htmlFor={`${id}error`}>Red from</label>
                      <input id={`${id}error`} type="number" step="any" value={error ?? ''} onChange={(event) => threshold('error', event.target.value)} />
                    </div>
                  </>
                )}
              </div>
              {draft.kind === 'timeseries' && (
                <label className={styles.check}><input type="checkbox" checked={options.stacked ?? false} onChange={(event) => set({ options: { ...options, stacked: event.target.checked } })} /> areas on top of each other</label>
              )}
            </>
          )}
        </div>
        <section className={styles.preview} aria-label="Preview">
          <h3>{draft.title}</h3>
          <PanelBody panel={draft} found={found} utc={shared.utc} onZoom={nothing} onPick={nothing} />
        </section>
      </div>
      <footer className={styles.foot}>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" onClick={() => onDone(isText ? draft : { ...draft, query: query() })}>Done</Button>
      </footer>
    </Modal>
  )
}
