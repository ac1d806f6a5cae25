import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { addPasskey, canUsePasskeys, deletePasskey, passkeys, type Passkey } from '@/api/passkeys'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import { Table, type Column } from '@/components/ui/Table'
import { asksAgain, SignInAgain } from './SignInAgain'
import { Loaded, When } from './parts'
import styles from './settings.module.css'

/** One's own passkeys: add one on this device, remove those of devices that are gone. */
export function Passkeys() {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const found = useQuery({ queryKey: ['passkeys'], queryFn: ({ signal }) => passkeys(signal) })
  const again = () => client.invalidateQueries({ queryKey: ['passkeys'] })
  const add = useMutation({ mutationFn: () => addPasskey(name), onSuccess: () => setName(''), onSettled: again })
  const remove = useMutation({ mutationFn: (id: number) => deletePasskey(id), onSettled: again })
  const columns: Column<Passkey>[] = [
    { name: 'Name', cell: (one) => one.name },
    { name: 'Added', cell: (one) => <When time={one.created_at} /> },
    { name: 'Last used', cell: (one) => <When time={one.used_at} /> },
    { name: 'Actions', align: 'actions', cell: (one) => <Button look="quiet" aria-label={`Remove ${one.name}`} disabled={remove.isPending} onClick={() => remove.mutate(one.id)}>Remove</Button> },
  ]
  return (
    <div className={styles.panel}>
      <h2>Passkeys</h2>
      <p className={styles.note}>Sign in with this device’s finger, face or PIN, or with a security key, instead of the password.</p>
      {canUsePasskeys() ? (
        <Form label="Add a passkey" error={asksAgain(add.error) ? null : add.error} onSubmit={() => add.mutate()}>
          <Field label="Name" grow><input required maxLength={100} value={name} placeholder="laptop" onChange={(event) => setName(event.target.value)} /></Field>
          <Button type="submit" look="primary" disabled={add.isPending}>Add a passkey</Button>
        </Form>
      ) : <p className={styles.dim}>This browser has none: it wants a page of HTTPS, or of localhost.</p>}
      <SignInAgain error={add.error} onDone={() => add.mutate()} />
      <Loaded query={found}>{(rows) => (rows.length > 0 ? <Table label="Passkeys" columns={columns} rows={rows} id={(one) => one.id} /> : null)}</Loaded>
      {remove.isError && <p role="alert" className={styles.bad}>{messageOf(remove.error)}</p>}
    </div>
  )
}
