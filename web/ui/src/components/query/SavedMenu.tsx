import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Bookmark, Trash2 } from 'lucide-react'
import { useState } from 'react'
import * as saved from '@/api/saved'
import { Button } from '@/components/ui/Button'
import { Popover } from '@/components/ui/Popover'
import { QueryText } from './QueryText'
import styles from './SavedMenu.module.css'

const KEY = ['saved-queries']

export interface SavedMenuProps {
  /** What stands in the query box. */
  readonly text: () => string
  readonly onPick: (query: string) => void
}

/** The saved queries of the project: open one, keep what stands in the box, delete. */
export function SavedMenu({ text, onPick }: SavedMenuProps) {
  return (
    <Popover label="Saved queries" icon={<Bookmark />} align="end" look="quiet" lazy>
      {(close) => <SavedQueries text={text} onPick={(query) => { onPick(query); close() }} />}
    </Popover>
  )
}

/** What opening one puts into the box: what it says, or, where it wants arguments, its use. */
function opened({ name, text, parameters }: saved.SavedQuery): string {
  return parameters.length === 0 ? text : `\`${name}\`(${parameters.map((one) => one.default ?? '').join(', ')})`
}

function SavedQueries({ text, onPick }: SavedMenuProps) {
  const client = useQueryClient()
  const found = useQuery({ queryKey: KEY, queryFn: ({ signal }) => saved.list(signal), staleTime: 0 })
  const [name, setName] = useState('')
  const changed = () => client.invalidateQueries({ queryKey: KEY })
  const keep = useMutation({ mutationFn: () => saved.save({ name: name.trim(), text: text() }), onSuccess: () => (setName(''), changed()) })
  const drop = useMutation({ mutationFn: saved.forget, onSuccess: changed })
  const error = keep.error ?? drop.error ?? found.error
  return (
    <div className={styles.menu}>
      <h3>Saved queries</h3>
      <form className={styles.form} onSubmit={(event) => { event.preventDefault(); keep.mutate() }}>
        <input aria-label="Name" placeholder="Name of the query in the box" value={name} maxLength={100} required onChange={(event) => setName(event.target.value)} data-autofocus />
        <Button type="submit" disabled={!name.trim() || keep.isPending}>Save</Button>
      </form>
      {error && <p className={styles.error} role="alert">{error.message}</p>}
      {found.data?.length === 0 && <p className={styles.empty}>None yet. Others find here what you save, and can use it in their queries.</p>}
      <ul>
        {found.data?.map((one) => (
          <li key={one.name} className={styles.item}>
            <button type="button" className={styles.open} onClick={() => onPick(opened(one))} title={one.description || `by ${one.created_by}`}>
              <b>{one.name}</b>
              <QueryText text={one.text} />
            </button>
            <Button look="quiet" icon={<Trash2 />} aria-label={`Delete ${one.name}`} title={`Delete ${one.name}`} onClick={() => drop.mutate(one.name)} />
          </li>
        ))}
      </ul>
    </div>
  )
}
