import { useMutation } from '@tanstack/react-query'
import { Plus, X } from 'lucide-react'
import { useEffect, useId, useRef, useState } from 'react'
import { admin, PERMISSIONS, type RoleDetail } from '@/api/admin'
import { ApiError } from '@/api/problem'
import { QueryBox, type QueryBoxHandle } from '@/components/query/QueryBox'
import { QueryError } from '@/components/query/QueryError'
import { Button } from '@/components/ui/Button'
import { Checks, Field, Form } from '@/components/ui/Form'
import styles from './settings.module.css'

type Mask = RoleDetail['masks'][number]

interface RoleEditorProps {
  readonly role: RoleDetail
  /** What the role was read with; null: it is new. */
  readonly etag: string | null
  readonly onSaved: () => void
  readonly onClose: () => void
}

/** Create a role, or change one. What the server finds wrong with the search stands at its place. */
export function RoleEditor({ role, etag, onSaved, onClose }: RoleEditorProps) {
  const id = useId()
  const panel = useRef<HTMLDivElement>(null)
  const box = useRef<QueryBoxHandle>(null)
  const [name, setName] = useState(role.name)
  const [permissions, setPermissions] = useState(role.permissions)
  const [masks, setMasks] = useState<readonly Mask[]>(role.masks)
  const [tried, setTried] = useState(role.search)
  const save = useMutation({
    mutationFn: (search: string) => {
      const body = { permissions, search, masks: masks.filter(({ field }) => field.trim() !== '') }
      return etag === null ? admin.createRole({ name, ...body }) : admin.changeRole(role.name, body, etag)
    },
    onSuccess: onSaved,
  })
  useEffect(() => {
    panel.current?.scrollIntoView({ block: 'nearest' }) // what it returns is no clean-up
  }, [])
  const submit = () => {
    const search = box.current?.text() ?? ''
    setTried(search)
    save.mutate(search)
  }
  const mistake = save.error instanceof ApiError && save.error.isQueryError && (save.error.places[0]?.line ?? 0) > 0 ? save.error : null
  const change = (at: number, part: Partial<Mask>) => setMasks(masks.map((mask, index) => (index === at ? { ...mask, ...part } : mask)))
  return (
    <div ref={panel} className={styles.panel}>
      <h2>{etag === null ? 'New role' : `Role ${role.name}`}</h2>
      <Form label={etag === null ? 'New role' : `Role ${role.name}`} error={mistake ? undefined : save.error} onSubmit={submit}>
        {etag === null && <Field label="Name" grow><input required autoFocus maxLength={63} value={name} placeholder="support" onChange={(event) => setName(event.target.value)} /></Field>}
        <Checks label="Permissions" options={PERMISSIONS} chosen={permissions} onChange={setPermissions} />
        <div className={styles.wide}>
          <p className={styles.label}>Sees</p>
          <QueryBox ref={box} value={tried} label="Sees" hint="All events. A search lets through those that it finds, such as service:checkout" mistake={mistake?.places[0] ?? null} describedBy={id} onRun={submit} />
          {mistake && <QueryError id={id} error={mistake} query={tried} />}
        </div>
        <fieldset className={styles.masks}>
          <legend className={styles.label}>Masked fields</legend>
          {masks.map((mask, at) => (
            <div key={at} className={styles.row}>
              <input className={styles.select} aria-label={`Masked field ${at + 1}`} required maxLength={1000} value={mask.field} placeholder="user.email" onChange={(event) => change(at, { field: event.target.value })} />
              <select className={styles.select} aria-label={`How field ${at + 1} is masked`} value={mask.how} onChange={(event) => change(at, { how: event.target.value })}>
                <option value="stars">*** in its place</option>
                <option value="hash">digits, equal for equal values</option>
              </select>
              <Button look="quiet" icon={<X />} aria-label={`Show field ${at + 1} again`} onClick={() => setMasks(masks.filter((_, index) => index !== at))} />
            </div>
          ))}
          <div><Button look="quiet" flush icon={<Plus />} onClick={() => setMasks([...masks, { field: '', how: 'stars' }])}>Mask a field</Button></div>
        </fieldset>
        <div className={styles.row}>
          <Button type="submit" look="primary" disabled={save.isPending}>{etag === null ? 'Create the role' : 'Save'}</Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </Form>
    </div>
  )
}
