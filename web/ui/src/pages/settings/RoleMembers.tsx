import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { admin, type User } from '@/api/admin'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import styles from './settings.module.css'

/** Who has a role, and a way to give it to others. */
export function RoleMembers({ role, users, onClose }: { readonly role: string; readonly users: readonly User[]; readonly onClose: () => void }) {
  const client = useQueryClient()
  const panel = useRef<HTMLDivElement>(null)
  const [chosen, setChosen] = useState('')
  const give = useMutation({
    mutationFn: (id: number) => admin.changeUser(id, { role }),
    onSuccess: () => setChosen(''),
    onSettled: () => client.invalidateQueries({ queryKey: ['users'] }),
  })
  useEffect(() => {
    panel.current?.scrollIntoView({ block: 'nearest' }) // what it returns is no clean-up
  }, [])
  const having = users.filter((user) => user.role === role)
  const others = users.filter((user) => user.role !== role && !user.disabled)
  return (
    <div ref={panel} className={styles.panel} role="region" aria-label={`Who has ${role}`}>
      <div className={styles.row}><h2>Who has {role}</h2><Button look="quiet" className={styles.push} onClick={onClose}>Done</Button></div>
      {having.length > 0
        ? <ul className={styles.names}>{having.map((user) => <li key={user.id}>{user.email}{user.service && <span className={styles.off}> service account</span>}{user.disabled && <span className={styles.off}> closed</span>}</li>)}</ul>
        : <p className={styles.dim}>Nobody yet.</p>}
      {others.length > 0 && (
        <Form label={`Give ${role} to somebody`} error={give.error} onSubmit={() => give.mutate(Number(chosen))}>
          <Field label="Account" grow>
            <select required value={chosen} onChange={(event) => setChosen(event.target.value)}>
              <option value="">choose one</option>
              {others.map((user) => <option key={user.id} value={user.id}>{user.email}, now {user.role}</option>)}
            </select>
          </Field>
          <Button type="submit" look="primary" disabled={give.isPending || chosen === ''}>Give the role</Button>
        </Form>
      )}
    </div>
  )
}
