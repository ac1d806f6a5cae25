import { Plus, Trash2, X } from 'lucide-react'
import { useId, useState } from 'react'
import type { Dashboard, Variable } from '@/api/dashboards'
import { Button } from '@/components/ui/Button'
import { Modal } from '@/components/ui/Modal'
import { QUICK_RANGES } from '@/lib/time/range'
import { REFRESHES } from './refreshes'
import styles from './Editors.module.css'

interface SettingsEditorProps {
  readonly document: Dashboard
  readonly onDone: (document: Dashboard) => void
  readonly onClose: () => void
}

/** Title, description, time range, refresh and variables of a dashboard. */
export default function SettingsEditor({ document, onDone, onClose }: SettingsEditorProps) {
  const id = useId()
  const [draft, setDraft] = useState(document)
  const variables = draft.variables ?? []
  const set = (part: Partial<Dashboard>) => setDraft((before) => ({ ...before, ...part }))
  const variable = (at: number, part: Partial<Variable>) => set({ variables: variables.map((one, index) => (index === at ? { ...one, ...part } : one)) })
  const quick = QUICK_RANGES.map((item) => ({ label: item.label, from: item.range.from ?? 'all' }))
  const ranges = quick.some((item) => item.from === draft.from) ? quick : [{ label: draft.from ?? '-1h', from: draft.from ?? '-1h' }, ...quick]
  const refreshes = REFRESHES.some((one) => one.text === (draft.refresh ?? 'off')) ? REFRESHES : [{ text: draft.refresh ?? 'off', label: draft.refresh ?? '' }, ...REFRESHES]
  return (
    <Modal label="Settings of the dashboard" onClose={onClose} className={styles.medium}>
      <header className={styles.head}>
        <h2>Dashboard</h2>
        <Button look="quiet" icon={<X />} aria-label="Close" onClick={onClose} />
      </header>
      <div className={styles.scroll}>
        <div className={styles.form}>
          <label htmlFor={`${id}title`}>Title</label>
          <input id={`${id}title`} value={draft.title} maxLength={200} onChange={(event) => set({ title: event.target.value })} />
          <label htmlFor={`${id}about`}>Description</label>
          <textarea id={`${id}about`} rows={2} value={draft.description ?? ''} maxLength={2000} onChange={(event) => set({ description: event.target.value })} />
          <div className={styles.row}>
            <div>
              <label htmlFor={`${id}from`}>Time range at first</label>
              <select id={`${id}from`} value={draft.from ?? '-1h'} onChange={(event) => set({ from: event.target.value, to: null })}>
                {ranges.map((item) => <option key={item.from} value={item.from}>{item.label}</option>)}
              </select>
            </div>
            <div>
              <label htmlFor={`${id}refresh`}>Refresh</label>
              <select id={`${id}refresh`} value={draft.refresh ?? 'off'} onChange={(event) => set({ refresh: event.target.value === 'off' ? null : event.target.value })}>
                {refreshes.map((one) => <option key={one.text} value={one.text}>{one.label}</option>)}
              </select>
            </div>
          </div>
          <h3 className={styles.section}>Variables</h3>
          <p className={styles.hint}>Queries name them as <code>$name</code>. With a field, that is a search term such as <code>service=&quot;a&quot;</code>; without one, the chosen values in quotes.</p>
          {variables.map((one, at) => (
            <fieldset key={at} className={styles.variable}>
              <legend>${one.name || '…'}</legend>
              <div className={styles.row}>
                <div>
                  <label htmlFor={`${id}name${at}`}>Name</label>
                  <input id={`${id}name${at}`} value={one.name} maxLength={31} pattern="[a-z][a-z0-9_]*" onChange={(event) => variable(at, { name: event.target.value.toLowerCase().replace(/[^a-z0-9_]/g, '') })} />
                </div>
                <div>
                  <label htmlFor={`${id}field${at}`}>Field</label>
                  <input id={`${id}field${at}`} value={one.field ?? ''} maxLength={200} placeholder="service" onChange={(event) => variable(at, { field: event.target.value || null })} />
                </div>
              </div>
              <label htmlFor={`${id}query${at}`}>Values from a query</label>
              <input id={`${id}query${at}`} className={styles.mono} value={one.query ?? ''} maxLength={10_000} placeholder="| top 50 service" onChange={(event) => variable(at, { query: event.target.value || null })} />
              <label htmlFor={`${id}values${at}`}>or a list, one a line</label>
              <textarea id={`${id}values${at}`} rows={2} value={(one.values ?? []).join('\n')} onChange={(event) => variable(at, { values: lines(event.target.value) })} />
              <label htmlFor={`${id}default${at}`}>Chosen at first, one a line</label>
              <textarea id={`${id}default${at}`} rows={1} value={(one.default ?? []).join('\n')} placeholder={one.field ? 'all' : ''} onChange={(event) => variable(at, { default: lines(event.target.value) })} />
              <div className={styles.last}>
                <label className={styles.check}><input type="checkbox" checked={one.multiple ?? false} onChange={(event) => variable(at, { multiple: event.target.checked })} /> several can be chosen</label>
                <Button look="quiet" icon={<Trash2 />} onClick={() => set({ variables: variables.filter((_, index) => index !== at) })}>Remove</Button>
              </div>
            </fieldset>
          ))}
          <div><Button icon={<Plus />} disabled={variables.length >= 12} onClick={() => set({ variables: [...variables, { name: freeName(variables), field: 'service', query: '| top 50 service', multiple: true }] })}>Add a variable</Button></div>
        </div>
      </div>
      <footer className={styles.foot}>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" onClick={() => onDone(trimmed(draft))}>Done</Button>
      </footer>
    </Modal>
  )
}

/** Lines as they are typed: an empty one may become a value yet, and is dropped when all is done. */
const lines = (text: string): string[] => (text === '' ? [] : text.split('\n'))

function trimmed(document: Dashboard): Dashboard {
  const full = (values: readonly string[] | undefined) => (values ?? []).filter((value) => value !== '')
  return { ...document, variables: (document.variables ?? []).map((one) => ({ ...one, values: full(one.values), default: full(one.default) })) }
}

function freeName(variables: readonly Variable[]): string {
  const taken = new Set(variables.map((one) => one.name))
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? 'service' : `service_${number}`
    if (!taken.has(name)) return name
  }
}
