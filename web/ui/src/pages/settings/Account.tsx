import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { admin } from '@/api/admin'
import { PasswordForm } from '@/components/shell/PasswordForm'
import { Loaded, Section } from './parts'
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
            <p>Cordwood serves this machine alone, and nobody signs in. <Link to="/start">Make the first administrator</Link>, and it can be opened to others.</p>
          </div>
        ) : (
          <>
            <dl className={`${styles.panel} ${styles.facts}`}>
              <div><dt>Signed in as</dt><dd>{user.email}</dd></div>
              <div><dt>Role</dt><dd>{user.role}</dd></div>
              <div><dt>Project</dt><dd>{project}</dd></div>
              <div><dt>May</dt><dd>{permissions.join(', ')}</dd></div>
            </dl>
            <div className={styles.panel}>
              <h2>Password</h2>
              <PasswordForm onDone={() => setChanged(true)} />
              {changed && <p role="status" className={styles.good}>Changed. All other sessions of this account have ended.</p>}
            </div>
          </>
        )}
      </Loaded>
    </Section>
  )
}
