import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { admin, type Session } from '@/api/admin'
import { api } from '@/api/client'
import { canUsePasskeys, signInByPasskey } from '@/api/passkeys'
import { ApiError, messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import styles from './settings.module.css'

const isType = (error: unknown, kind: string): boolean => error instanceof ApiError && error.type === `urn:cordwood:problem:${kind}`

/** Whether the server wants a sign-in of the last minutes before it does this. */
export const asksAgain = (error: unknown): boolean => isType(error, 'sign-in-again')

/** Sign in once more, as one is, before something that gives lasting power; then it is done. */
export function SignInAgain({ error, onDone }: { readonly error: unknown; readonly onDone: () => void }) {
  const client = useQueryClient()
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => admin.session(signal), staleTime: Infinity })
  const user = session.data?.user ?? null
  const onSuccess = (made: Session) => {
    const same = made.user?.email === user?.email
    if (!same) client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' }) // a passkey of another account
    client.setQueryData(['session'], made)
    if (same) onDone()
  }
  const enter = useMutation({ mutationFn: () => api.signIn({ email: user?.email ?? '', password, ...(code && { code }) }), onSuccess })
  const passkey = useMutation({ mutationFn: signInByPasskey, onSuccess })
  const wantsCode = code !== '' || isType(enter.error, 'code-needed')
  if (!asksAgain(error) || user === null) return null
  const oidc = session.data?.oidc ?? null
  return (
    <div className={styles.panel} role="region" aria-label="Sign in again">
      <p className={styles.note}>This gives lasting access, so it asks once more who you are: sign in again as {user.email}.</p>
      {user.has_password && (
        <Form label="Sign in again" error={enter.error} onSubmit={() => enter.mutate()}>
          <Field label="Password" grow><input type="password" autoComplete="current-password" required autoFocus value={password} onChange={(event) => setPassword(event.target.value)} /></Field>
          {wantsCode && <Field label="Code, or a recovery code" grow><input required maxLength={40} autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.target.value)} /></Field>}
          <Button type="submit" look="primary" disabled={enter.isPending}>Continue</Button>
        </Form>
      )}
      <div className={styles.row}>
        {canUsePasskeys() && <Button disabled={passkey.isPending} onClick={() => passkey.mutate()}>Use a passkey</Button>}
        {oidc !== null && <a href={`/api/v1/session/oidc?again=true&return_to=${encodeURIComponent(location.pathname)}`}>Sign in with {oidc}, then begin again here</a>}
      </div>
      {passkey.isError && <p role="alert" className={styles.bad}>{messageOf(passkey.error)}</p>}
    </div>
  )
}
