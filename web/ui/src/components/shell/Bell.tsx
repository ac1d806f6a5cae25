import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Bell as BellIcon, X } from 'lucide-react'
import { useState } from 'react'
import { api } from '@/api/client'
import { Button } from '@/components/ui/Button'
import { Modal } from '@/components/ui/Modal'
import { SeverityTag } from '@/components/ui/SeverityTag'
import { ago } from '@/lib/format'
import { preference, usePreference } from '@/lib/prefs'
import shell from './Shell.module.css'
import styles from './Bell.module.css'

/** The number of the newest incident that this reader has seen. */
const readPreference = preference('read', 0, (value): value is number => typeof value === 'number')

/** How many incidents are open that this reader has not looked at, and which. */
export default function Bell() {
  const [open, setOpen] = useState(false)
  const read = usePreference(readPreference)
  const incidents = useQuery({ queryKey: ['incidents', 'bell'], queryFn: ({ signal }) => api.incidents('open', undefined, signal), refetchInterval: 15_000 })
  const list = incidents.data?.items ?? []
  const unread = list.filter((incident) => incident.id > read).length
  const more = incidents.data?.next_cursor ? '+' : ''
  const words = unread === 0 ? 'No unread incidents' : unread === 1 ? '1 unread incident' : `${unread}${more} unread incidents`
  const close = () => {
    setOpen(false)
    readPreference.set(Math.max(read, ...list.map((incident) => incident.id)))
  }
  return (
    <>
      <button type="button" className={shell.item} onClick={() => setOpen(true)} title={words} aria-label={words}>
        <span className={styles.bell}><BellIcon aria-hidden />{unread > 0 && <b className={styles.count} aria-hidden>{unread}{more}</b>}</span>
      </button>
      {open && (
        <Modal label="Open incidents" onClose={close} className={styles.wide}>
          <header className={styles.head}>
            <h2>Open incidents</h2>
            <Button look="quiet" icon={<X />} aria-label="Close" onClick={close} />
          </header>
          {list.length === 0 ? <p className={styles.none}>No incident is open.</p> : (
            <ul className={styles.list}>
              {list.map((incident) => (
                <li key={incident.id}>
                  <Link to="/alerts/incidents/$id" params={{ id: String(incident.id) }} onClick={close} className={styles.link}>
                    <span className={styles.title}>{incident.id > read && <b>New: </b>}{incident.title}</span>
                    <span className={styles.meta}><SeverityTag severity={incident.severity} /> {incident.detector} <time dateTime={incident.opened_at}>{ago(incident.opened_at)}</time></span>
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </Modal>
      )}
    </>
  )
}
