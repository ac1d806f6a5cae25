import { useMutation, useQueryClient } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { useId, useState, type SyntheticEvent } from 'react'
import { dashboards, type Dashboard, type Tagged } from '@/api/dashboards'
import { Button } from '@/components/ui/Button'
import { Modal } from '@/components/ui/Modal'
import { nameOf } from './names'
import { Refused } from './Refused'
import styles from './Editors.module.css'

interface NewDashboardProps {
  /** What it begins with: an empty page, or another dashboard. */
  readonly from: Omit<Dashboard, 'name'>
  readonly label: string
  readonly onDone: (made: Tagged) => void
  readonly onClose: () => void
}

/** Give a new dashboard, or the copy of one, its title; the name in addresses follows from it. */
export default function NewDashboard({ from, label, onDone, onClose }: NewDashboardProps) {
  const id = useId()
  const client = useQueryClient()
  const [title, setTitle] = useState(from.title)
  const [own, setOwn] = useState<string | null>(null)
  const name = own ?? nameOf(title)
  const make = useMutation({
    mutationFn: () => dashboards.create({ ...from, title: title.trim(), name }),
    onSuccess: (made) => {
      client.setQueryData(['dashboard', made.document.name], made)
      void client.invalidateQueries({ queryKey: ['dashboards'] })
      onDone(made)
    },
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    make.mutate()
  }
  return (
    <Modal label={label} onClose={onClose}>
      <header className={styles.head}>
        <h2>{label}</h2>
        <Button look="quiet" icon={<X />} aria-label="Close" onClick={onClose} />
      </header>
      <form onSubmit={submit}>
        <div className={styles.form}>
          <label htmlFor={`${id}title`}>Title</label>
          <input id={`${id}title`} data-autofocus required value={title} maxLength={200} onChange={(event) => setTitle(event.target.value)} />
          <label htmlFor={`${id}name`}>Name in addresses and reports</label>
          <input id={`${id}name`} className={styles.mono} required value={name} maxLength={63} pattern="[a-z0-9][a-z0-9_\-]*" title="a-z, 0-9, - and _" onChange={(event) => setOwn(event.target.value)} />
          {make.isError && <Refused error={make.error} document={{ ...from, name }} />}
        </div>
        <footer className={styles.foot}>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={make.isPending}>Create</Button>
        </footer>
      </form>
    </Modal>
  )
}
