import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { admin, type User } from '@/api/admin'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import { Table, type Column } from '@/components/ui/Table'
import { Loaded, Once, Section, When } from './parts'
import styles from './settings.module.css'

/** Accounts of programs: a role, and tokens that end with the account. */
export default function ServiceAccounts() {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [role, setRole] = useState('viewer')
  const [once, setOnce] = useState<{ account: string; secret: string } | null>(null)
  const users = useQuery({ queryKey: ['users'], queryFn: ({ signal }) => admin.users(signal) })
  const tokens = useQuery({ queryKey: ['tokens'], queryFn: ({ signal }) => admin.tokens(signal) })
  const roles = useQuery({ queryKey: ['roles'], queryFn: ({ signal }) => admin.roles(signal) })
  const again = () => Promise.all([client.invalidateQueries({ queryKey: ['users'] }), client.invalidateQueries({ queryKey: ['tokens'] })])
  const create = useMutation({ mutationFn: () => admin.createUser({ email: name, role, service: true }), onSuccess: () => { setName('') }, onSettled: again })
  const change = useMutation({ mutationFn: ({ id, ...body }: { id: number; role?: string; disabled?: boolean }) => admin.changeUser(id, body), onSettled: again })
  const remove = useMutation({ mutationFn: (user: User) => admin.deleteUser(user.id), onSettled: again })
  const token = useMutation({
    mutationFn: (user: User) => admin.createToken({ name: user.email, scopes: ['query'], account: user.email, project: user.project }),
    onSuccess: ({ token: made, secret }) => setOnce({ account: made.name, secret }),
    onSettled: again,
  })
  const names = (roles.data?.map((one) => one.name) ?? ['viewer']).filter((one) => one !== 'admin')
  const living = (account: string) => tokens.data?.filter((one) => one.account === account && one.revoked_at === null) ?? []
  const lastUsed = (account: string) => living(account).map((one) => one.last_used_at).filter((time) => time !== null).sort().at(-1) ?? null
  const columns: Column<User>[] = [
    { name: 'Name', cell: (user) => <span className={user.disabled ? styles.off : undefined}>{user.email}{user.disabled && ' (closed)'}</span> },
    {
      name: 'Role',
      cell: (user) => (
        <select className={styles.select} aria-label={`Role of ${user.email}`} value={user.role} disabled={user.disabled || change.isPending} onChange={(event) => change.mutate({ id: user.id, role: event.target.value })}>
          {[...new Set([...names, user.role])].map((one) => <option key={one}>{one}</option>)}
        </select>
      ),
    },
    { name: 'Tokens', align: 'right', cell: (user) => living(user.email).length },
    { name: 'Last used', cell: (user) => <When time={lastUsed(user.email)} /> },
    {
      name: 'Actions',
      align: 'actions',
      cell: (user) => (
        <>
          {!user.disabled && <Button look="quiet" aria-label={`Create a token for ${user.email}`} disabled={token.isPending} onClick={() => token.mutate(user)}>Create a token</Button>}
          <Button look="quiet" aria-label={`${user.disabled ? 'Open' : 'Close'} ${user.email}`} onClick={() => change.mutate({ id: user.id, disabled: !user.disabled })}>{user.disabled ? 'Open' : 'Close'}</Button>
          <Button look="quiet" aria-label={`Delete ${user.email}`} disabled={remove.isPending} onClick={() => remove.mutate(user)}>Delete</Button>
        </>
      ),
    },
  ]
  return (
    <Section label="Service accounts" lead="Accounts of programs. They do not sign in: their tokens do what the role allows, see what the role sees, and end with the account. Each token is revoked under API tokens.">
      {once && <Once title={`Token of ${once.account}`} secret={once.secret} onClose={() => setOnce(null)} />}
      <div className={styles.panel}>
        <Form label="Create a service account" error={create.error} onSubmit={() => create.mutate()}>
          <Field label="Name" grow><input required maxLength={63} value={name} placeholder="ci-bot" onChange={(event) => setName(event.target.value)} /></Field>
          <Field label="Role"><select value={role} onChange={(event) => setRole(event.target.value)}>{names.map((one) => <option key={one}>{one}</option>)}</select></Field>
          <Button type="submit" look="primary" disabled={create.isPending}>Create the account</Button>
        </Form>
      </div>
      {(change.isError || remove.isError || token.isError) && <p role="alert" className={styles.bad}>{messageOf(change.error ?? remove.error ?? token.error)}</p>}
      <Loaded query={users}>
        {(all) => {
          const rows = all.filter((user) => user.service)
          return rows.length > 0 ? <Table label="Service accounts" columns={columns} rows={rows} id={(user) => user.id} /> : <p className={styles.dim}>There is no service account yet.</p>
        }}
      </Loaded>
    </Section>
  )
}
