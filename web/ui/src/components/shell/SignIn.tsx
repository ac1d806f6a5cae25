import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useId, useState, type SyntheticEvent } from 'react'
import { api } from '@/api/client'
import type { Session } from '@/api/admin'
import { canUsePasskeys, signInByPasskey } from '@/api/passkeys'
import { ApiError, messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Logo } from './Logo'
import { PasswordForm } from './PasswordForm'
import styles from './SignIn.module.css'

/** Why the provider's sign-in came to nothing: the server sends the word after `#sign-in=`. */
const WHY: Readonly<Record<string, string>> = {
  denied: 'The provider did not let you in.',
  failed: 'That sign-in did not hold. Begin again here, in this browser.',
  provider: 'The provider cannot be reached. Try again in a moment, or ask an administrator.',
  'no-account': 'You have no account here. Ask an administrator.',
  closed: 'Your account is closed. Ask an administrator.',
  settings: 'The settings of this sign-in are wrong. The server’s log says how.',
}

/** Who are you? Shown instead of every page while users exist and none is signed in; the address stays as it is. */
export default function SignIn({ session, oidc = null, mailsLinks = false }: { readonly session?: Session; readonly oidc?: string | null; readonly mailsLinks?: boolean }) {
  const id = useId()
  const client = useQueryClient()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [refused] = useState(() => WHY[/^#sign-in=([a-z-]+)$/.exec(location.hash)?.[1] ?? ''])
  const onSuccess = (session: Session) => {
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' })
    client.setQueryData(['session'], session)
  }
  const enter = useMutation({ mutationFn: () => api.signIn({ email, password, ...(code && { code }) }), onSuccess })
  const passkey = useMutation({ mutationFn: signInByPasskey, onSuccess })
  const wantsCode = code !== '' || (enter.error instanceof ApiError && enter.error.type === 'urn:cordwood:problem:code-needed')
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    enter.mutate()
  }
  if (session?.user) {
    return (
      <main className={styles.page}>
        <div className={styles.card}>
          <div className={styles.brand}><Logo size={38} /><span>Cordwood</span></div>
          <h1>Choose a password</h1>
          <p>You are {session.user.email}. The password you signed in with was for one use.</p>
          <PasswordForm onDone={() => void client.invalidateQueries({ queryKey: ['session'] })} />
        </div>
      </main>
    )
  }
  return (
    <main className={styles.page}>
      <form className={styles.card} onSubmit={submit}>
        <div className={styles.brand}><Logo size={38} /><span>Cordwood</span></div>
        <h1>Sign in</h1>
        {refused && <p role="alert" className={styles.wrong}>{refused}</p>}
        {oidc !== null && <a className={styles.provider} href={`/api/v1/session/oidc?return_to=${encodeURIComponent(location.pathname + location.search)}`}>Sign in with {oidc}</a>}
        {canUsePasskeys() && <Button disabled={passkey.isPending} onClick={() => passkey.mutate()}>Use a passkey</Button>}
        {passkey.isError && <p role="alert" className={styles.wrong}>{messageOf(passkey.error)}</p>}
        {(oidc !== null || canUsePasskeys()) && <p className={styles.or}>or with a password</p>}
        <label htmlFor={`${id}email`}>Email</label>
        <input id={`${id}email`} type="email" autoComplete="username" required autoFocus value={email} onChange={(event) => setEmail(event.target.value)} />
        <label htmlFor={`${id}password`}>Password</label>
        <input id={`${id}password`} type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
        {wantsCode && (
          <>
            <label htmlFor={`${id}code`}>Code of the authenticator app, or a recovery code</label>
            <input id={`${id}code`} autoComplete="one-time-code" required autoFocus maxLength={40} value={code} onChange={(event) => setCode(event.target.value)} />
          </>
        )}
        {enter.isError && <p role="alert" className={styles.wrong}>{messageOf(enter.error)}</p>}
        <Button type="submit" look="primary" disabled={enter.isPending}>Sign in</Button>
        {mailsLinks && <p className={styles.note}><a href="/reset-password">Forgot your password?</a></p>}
        <p className={styles.note}>No account? An administrator invites you, in Settings or by <code>cordwood user add</code></p>
      </form>
    </main>
  )
}
