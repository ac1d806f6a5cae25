import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Bell as BellIcon, X } from 'lucide-react'
import { useState } from 'react'
import { api } from '@/api/client'
import { Button } from '@/components/ui/Button'
import { Modal } from '@/components/ui/Modal'
import { SeverityTag } from '@/components/ui/SeverityTag'
import { Failure, Loading } from '@/components/ui/States'
import { ago, plural } from '@/lib/format'
import shell from './Shell.module.css'
import styles from './Bell.module.css'

/** How many incidents are open that this account has not looked at, and which. */
export default function Bell() {
  const [open, setOpen] = useState(false)
  const client = useQueryClient()
  const bell = useQuery({ queryKey: ['bell'], queryFn: ({ signal }) => api.bell(signal), refetchInterval: 15_000 })
  const incidents = useQuery({ queryKey: ['incidents', 'bell'], queryFn: ({ signal }) => api.incidents('open', undefined, signal), enabled: open })
  const seen = useMutation({ mutationFn: api.readBell, onSuccess: (data) => client.setQueryData(['bell'], data) })
  const list = incidents.data?.items ?? []
  const { unread = 0, read_upto: read = 0 } = bell.data ?? {}
  const words = unread === 0 ? 'No unread incidents' : plural(unread, 'unread incident')
  const close = () => {
    setOpen(false)
    const newest = Math.max(0, ...list.map((incident) => incident.id))
    if (newest > read) seen.mutate(newest)
  }
  return (
    <>
      <button type="button" className={shell.item} onClick={() => setOpen(true)} title={words} aria-label={words}>
        <span className={styles.bell}><BellIcon aria-hidden />{unread > 0 && <b className={styles.count} aria-hidden>{unread > 99 ? '99+' : unread}</b>}</span>
      </button>
      {open && (
        <Modal label="Open incidents" onClose={close} className={styles.wide}>
          <header className={styles.head}>
            <h2>Open incidents</h2>
            <Button look="quiet" icon={<X />} aria-label="Close" onClick={close} />
          </header>
          {incidents.isError ? <Failure error={incidents.error} onRetry={() => void incidents.refetch()} />
            : incidents.isPending ? <Loading rows={3} />
            : list.length === 0 ? <p className={styles.none}>No incident is open.</p> : (
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
