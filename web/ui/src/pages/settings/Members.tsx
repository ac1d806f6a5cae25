import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { admin, type Role, type User } from '@/api/admin'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import { Table, type Column } from '@/components/ui/Table'
import { asksAgain, SignInAgain } from './SignInAgain'
import { Loaded, Once, Section, When } from './parts'
import styles from './settings.module.css'

const passwordFor = (email: string, password: string) => ({ title: `Password for ${email}`, secret: password, note: 'It is for one use: whoever signs in with it chooses another.' })

/** People with an account: invite, change a role, close, reset. */
export function Members() {
  const client = useQueryClient()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [project, setProject] = useState('')
  const [once, setOnce] = useState<{ title: string; secret: string; note: string } | null>(null)
  const users = useQuery({ queryKey: ['users'], queryFn: ({ signal }) => admin.users(signal) })
  const roles = useQuery({ queryKey: ['roles'], queryFn: ({ signal }) => admin.roles(signal) })
  const projects = useQuery({ queryKey: ['projects'], queryFn: ({ signal }) => admin.projects(signal) })
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => admin.session(signal), staleTime: Infinity })
  const again = () => client.invalidateQueries({ queryKey: ['users'] })
  const invite = useMutation({
    mutationFn: () => admin.createUser({ email, role: first ? 'admin' : role, ...(project && { project }) }),
    onSuccess: async ({ user, password }) => {
      setEmail('')
      if (password !== null) setOnce(passwordFor(user.email, password))
      await again()
    },
  })
  const change = useMutation({ mutationFn: ({ id, ...body }: { id: number; role?: Role; disabled?: boolean }) => admin.changeUser(id, body), onSettled: again })
  const reset = useMutation({
    mutationFn: (user: User) => admin.resetPassword(user.id),
    onSuccess: async ({ user, password }) => {
      if (password !== null) setOnce(passwordFor(user.email, password))
      await again()
    },
  })
  const link = useMutation({
    mutationFn: (user: User) => admin.resetLink(user.id),
    onSuccess: (made, user) => setOnce({ title: `Link for ${user.email}`, secret: made.link, note: 'Whoever opens it chooses the password of this account: once, within half an hour. Until then nothing changes.' }),
  })
  const guarded = asksAgain(reset.error) ? reset : link
  const failure = change.error ?? reset.error ?? link.error
  const first = session.data?.users_exist === false
  const names = roles.data?.map((one) => one.name) ?? ['viewer', 'admin']
  const several = (projects.data?.length ?? 0) > 1
  const columns: Column<User>[] = [
    { name: 'Email', cell: (user) => <span className={user.disabled ? styles.off : undefined}>{user.email}{user.email === session.data?.user?.email && ' (you)'}</span> },
    ...(several ? [{ name: 'Project', cell: (user: User) => user.project }] : []),
    {
      name: 'Role',
      cell: (user) => (
        <select className={styles.select} aria-label={`Role of ${user.email}`} value={user.role} disabled={user.disabled || change.isPending} onChange={(event) => change.mutate({ id: user.id, role: event.target.value })}>
          {[...new Set([...names, user.role])].map((one) => <option key={one}>{one}</option>)}
        </select>
      ),
    },
    { name: 'State', cell: (user) => (user.disabled ? <span className={styles.off}>closed</span> : user.service ? 'service account' : user.must_change_password ? 'invited' : 'active') },
    { name: 'Signed in', cell: (user) => <When time={user.signed_in_at} /> },
    {
      name: 'Actions',
      align: 'actions',
      cell: (user) => (
        <>
          {!user.service && !user.disabled && <Button look="quiet" onClick={() => link.mutate(user)} aria-label={`Reset link for ${user.email}`}>Reset link</Button>}
          {!user.service && <Button look="quiet" onClick={() => reset.mutate(user)} aria-label={`New password for ${user.email}`}>New password</Button>}
          <Button look="quiet" onClick={() => change.mutate({ id: user.id, disabled: !user.disabled })} aria-label={`${user.disabled ? 'Open' : 'Close'} ${user.email}`}>{user.disabled ? 'Open' : 'Close'}</Button>
        </>
      ),
    },
  ]
  return (
    <Section label="Members" lead="Viewers read. Editors change what people make for each other, such as lookups. Operators handle incidents and try pipelines. Administrators do everything.">
      {once && <Once title={once.title} secret={once.secret} onClose={() => setOnce(null)}><p className={styles.note}>{once.note}</p></Once>}
      <div className={styles.panel}>
        <Form label="Invite somebody" error={invite.error} onSubmit={() => invite.mutate()}>
          <Field label="Email" grow><input type="email" required value={email} autoComplete="off" onChange={(event) => setEmail(event.target.value)} /></Field>
          <Field label="Role">
            <select value={first ? 'admin' : role} disabled={first} onChange={(event) => setRole(event.target.value)}>{names.map((one) => <option key={one}>{one}</option>)}</select>
          </Field>
          {several && !first && <Field label="Project"><select value={project} onChange={(event) => setProject(event.target.value)}><option value="">yours</option>{projects.data?.map((one) => <option key={one.name}>{one.name}</option>)}</select></Field>}
          <Button type="submit" look="primary" disabled={invite.isPending}>Invite</Button>
        </Form>
        {first && <p className={styles.note}>Nobody has an account yet. The first is an administrator; from then on everybody signs in.</p>}
      </div>
      {failure && !asksAgain(failure) && <p role="alert" className={styles.bad}>{messageOf(failure)}</p>}
      <SignInAgain error={guarded.error} onDone={() => guarded.variables && guarded.mutate(guarded.variables)} />
      <Loaded query={users}>{(rows) => (rows.length > 0 ? <Table label="Members" columns={columns} rows={rows} id={(user) => user.id} /> : null)}</Loaded>
    </Section>
  )
}
