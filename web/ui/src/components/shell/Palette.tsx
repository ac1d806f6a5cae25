import { useNavigate } from '@tanstack/react-router'
import { useId, useRef, useState, type KeyboardEvent } from 'react'
import { Modal } from '@/components/ui/Modal'
import { cx } from '@/lib/cx'
import { applyTheme, historyPreference, themePreference, usePreference, utcPreference, wrapPreference, type Theme } from '@/lib/prefs'
import styles from './Palette.module.css'

interface Entry { readonly group: string; readonly name: string; readonly note?: string; readonly mono?: boolean; readonly act: () => void }

const SETTINGS = [
  ['system', 'System', 'rates, segments, database'], ['account', 'Your account', 'password, passkeys, sessions'], ['projects', 'Projects', 'tenants'],
  ['members', 'Members', 'people and their roles'], ['roles', 'Roles', 'permissions, row filters, masks'],
  ['service-accounts', 'Service accounts', 'accounts of programs'], ['tokens', 'API tokens', 'make, revoke'], ['notifiers', 'Notifiers', 'send a test'],
  ['lookups', 'Lookups', 'upload a table'], ['recordings', 'Recordings', 'figures kept as metrics'], ['retention', 'Retention', 'what goes when'], ['audit', 'Audit log', 'who changed what'], ['plugins', 'Plugins', 'with versions'],
] as const

/** Go anywhere: pages, settings, past queries, or a search for what was typed. */
export default function Palette({ onClose, onHelp }: { readonly onClose: () => void; readonly onHelp: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const id = useId()
  const list = useRef<HTMLUListElement>(null)
  const navigate = useNavigate()
  const past = usePreference(historyPreference)

  const theme = (name: Theme): Entry => ({ group: 'Settings', name: `Theme: ${name}`, act: () => { themePreference.set(name); applyTheme(name) } })
  const entries: Entry[] = [
    { group: 'Pages', name: 'Explore', note: 'search events', act: () => void navigate({ to: '/explore' }) },
    { group: 'Pages', name: 'Live tail', note: 'follow events as they arrive', act: () => void navigate({ to: '/tail' }) },
    { group: 'Pages', name: 'Patterns', note: 'what kinds of messages there are', act: () => void navigate({ to: '/patterns' }) },
    { group: 'Pages', name: 'Dashboards', note: 'panels from queries', act: () => void navigate({ to: '/dashboards' }) },
    { group: 'Pages', name: 'Reports', note: 'dashboards that are sent by the clock', act: () => void navigate({ to: '/reports' }) },
    { group: 'Alerts', name: 'Incidents', note: 'what fires now', act: () => void navigate({ to: '/alerts/incidents' }) },
    { group: 'Alerts', name: 'Notifications', note: 'what was sent, and how it went', act: () => void navigate({ to: '/alerts/notifications' }) },
    { group: 'Alerts', name: 'Detectors', note: 'what is watched', act: () => void navigate({ to: '/alerts/detectors' }) },
    { group: 'Alerts', name: 'Silences', note: 'of what nobody is told', act: () => void navigate({ to: '/alerts/silences' }) },
    { group: 'Pages', name: 'Pipelines', note: 'how events come in', act: () => void navigate({ to: '/pipelines' }) },
    { group: 'Pages', name: 'Get started', note: 'send the first event', act: () => void navigate({ to: '/start' }) },
    ...SETTINGS.map(([section, name, note]): Entry => ({ group: 'Settings', name, note, act: () => void navigate({ to: '/settings/$section', params: { section } }) })),
    { group: 'Searches', name: 'severity>=error', note: 'errors of the last hour', mono: true, act: () => void navigate({ to: '/explore', search: { q: 'severity>=error', from: '-1h' } }) },
    ...past.slice(0, 12).map((query): Entry => ({ group: 'Past queries', name: query, mono: true, act: () => void navigate({ to: '/explore', search: { q: query } }) })),
    theme('light'), theme('dark'), theme('system'),
    { group: 'Settings', name: 'Show times in UTC', act: () => utcPreference.set(true) },
    { group: 'Settings', name: 'Show local times', act: () => utcPreference.set(false) },
    { group: 'Settings', name: 'Wrap long lines', act: () => wrapPreference.set(!wrapPreference.get()) },
    { group: 'Settings', name: 'Keyboard help', act: onHelp },
  ]
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = entries.filter((entry) => words.every((word) => `${entry.group} ${entry.name} ${entry.note ?? ''}`.toLowerCase().includes(word)))
  if (text.trim()) found.push({ group: 'Search', name: text.trim(), note: 'search events for this', mono: true, act: () => void navigate({ to: '/explore', search: { q: text.trim() } }) })
  const current = Math.min(at, found.length - 1)

  const choose = (entry: Entry | undefined) => {
    onClose()
    entry?.act()
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      const next = (current + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % Math.max(1, found.length)
      setAt(next)
      list.current?.querySelectorAll('[role=option]')[next]?.scrollIntoView({ block: 'nearest' })
    } else if (event.key === 'Enter') {
      event.preventDefault()
      choose(found[current])
    }
  }

  return (
    <Modal label="Go anywhere" onClose={onClose}>
      <input
        autoFocus
        className={styles.input}
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}list`}
        aria-activedescendant={`${id}${current}`}
        aria-label="Go to a page, a setting or a search"
        placeholder="Go to a page, a setting, or search…"
        value={text}
        onChange={(event) => { setText(event.target.value); setAt(0) }}
        onKeyDown={onKey}
        spellCheck={false}
      />
      <ul ref={list} id={`${id}list`} role="listbox" aria-label="Places" className={styles.list}>
        {found.map((entry, index) => (
          <li key={`${entry.group}${entry.name}`} role="presentation">
            {entry.group !== found[index - 1]?.group && <div className={styles.group} aria-hidden>{entry.group}</div>}
            <div
              id={`${id}${index}`}
              role="option"
              aria-selected={index === current}
              className={cx(styles.entry, index === current && styles.current)}
              onMouseMove={() => setAt(index)}
              onClick={() => choose(entry)}
            >
              <span className={cx(styles.name, entry.mono && styles.mono)}>{entry.name}</span>
              {entry.note && <span className={styles.note}>{entry.note}</span>}
            </div>
          </li>
        ))}
      </ul>
    </Modal>
  )
}
