import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { admin, type BrowserSession } from '@/api/admin'
import { messageOf } from '@/api/problem'
import { PasswordForm } from '@/components/shell/PasswordForm'
import { Button } from '@/components/ui/Button'
import { Table, type Column } from '@/components/ui/Table'
import { browserName } from '@/lib/browserName'
import { Passkeys } from './Passkeys'
import { SecondFactor } from './SecondFactor'
import { Loaded, Section, When } from './parts'
import styles from './settings.module.css'

/** Who is signed in, and their password. */
export function Account() {
  const [changed, setChanged] = useState(false)
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => admin.session(signal), staleTime: Infinity })
  return (
    <Section label="Your account">
      <Loaded query={session}>
        {({ user, project, permissions }) => user === null ? (
          <div className={styles.panel}>
            <h2>Nobody has an account yet</h2>
            <p>Cordwood serves this machine alone, and nobody signs in. <Link to="/start">Create the first administrator</Link>, and it can be opened to others.</p>
          </div>
        ) : (
          <>
            <dl className={`${styles.panel} ${styles.facts}`}>
              <div><dt>Signed in as</dt><dd>{user.email}</dd></div>
              <div><dt>Role</dt><dd>{user.role}</dd></div>
              <div><dt>Project</dt><dd>{project}</dd></div>
              <div><dt>Permissions</dt><dd>{permissions.join(', ')}</dd></div>
            </dl>
            <div className={styles.panel}>
              <h2>Password</h2>
              {user.has_password
                ? <PasswordForm onDone={() => setChanged(true)} />
                : <p className={styles.dim}>This account has none: you sign in by a provider or a passkey.</p>}
              {changed && <p role="status" className={styles.good}>Changed. All other sessions of this account have ended.</p>}
            </div>
            {user.has_password && <SecondFactor />}
            <Passkeys />
            <Sessions />
          </>
        )}
      </Loaded>
    </Section>
  )
}

/** The browsers in which one is signed in, each of which can be signed out. */
function Sessions() {
  const client = useQueryClient()
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: ({ signal }) => admin.sessions(signal) })
  const end = useMutation({ mutationFn: (id: number) => admin.endSession(id), onSettled: () => client.invalidateQueries({ queryKey: ['sessions'] }) })
  const columns: Column<BrowserSession>[] = [
    { name: 'Browser', cell: (one) => <span title={one.agent}>{browserName(one.agent)}{one.current && ' (this one)'}</span> },
    { name: 'From', cell: (one) => one.client || 'unknown' },
    { name: 'Signed in', cell: (one) => <When time={one.created_at} /> },
    { name: 'Last seen', cell: (one) => <When time={one.seen_at} /> },
    { name: '', cell: (one) => !one.current && <Button look="quiet" disabled={end.isPending} onClick={() => end.mutate(one.id)}>End this session</Button> },
  ]
  return (
    <div className={styles.panel}>
      <h2>Where you are signed in</h2>
      <Loaded query={sessions}>{(rows) => <Table label="Sessions" columns={columns} rows={rows} id={(one) => one.id} />}</Loaded>
      {end.isError && <p role="alert" className={styles.bad}>{messageOf(end.error)}</p>}
    </div>
  )
}
