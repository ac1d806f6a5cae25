import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CircleCheck, Loader } from 'lucide-react'
import { useState } from 'react'
import { admin } from '@/api/admin'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import { Snippet } from '@/components/ui/States'
import { cx } from '@/lib/cx'
import { count, plural } from '@/lib/format'
import { SHIPPERS, target } from './snippets'
import styles from './StartPage.module.css'

/** From nothing to the first event: an administrator, a shipper, and a light that turns green. */
export default function StartPage() {
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => admin.session(signal), staleTime: Infinity })
  const [token, setToken] = useState('')
  const needsToken = session.data?.users_exist === true
  return (
    <div className={styles.page}>
      <h1>Get started</h1>
      <Arrived />
      {session.data?.users_exist === false && <FirstAdmin />}
      {needsToken && <TokenPart token={token} may={session.data?.permissions.includes('admin') === true} onToken={setToken} />}
      <Shippers token={needsToken ? token || 'YOUR_TOKEN' : ''} />
    </div>
  )
}

/** Grey until events are there, green from then on; looks every two seconds. */
function Arrived() {
  const status = useQuery({ queryKey: ['status'], queryFn: ({ signal }) => admin.status(signal), refetchInterval: 2000 })
  const rows = status.data ? Math.max(status.data.segments.rows, status.data.ingest?.events_total ?? 0) : 0
  const [before, setBefore] = useState<number | null>(null)
  if (before === null && status.data) setBefore(rows)
  const fresh = before === null ? 0 : rows - before
  return (
    <div className={cx(styles.light, rows > 0 && styles.green)} role="status">
      {rows > 0 ? <CircleCheck aria-hidden /> : <Loader aria-hidden className={styles.turning} />}
      <div>
        <h2>{rows > 0 ? 'Events arrive' : 'Waiting for the first event'}</h2>
        <p>{rows > 0 ? `${plural(rows, 'event')} stored${fresh > 0 ? `, ${count(fresh)} since you opened this page` : ''}.` : 'Copy one of the snippets below; this turns green within a few seconds.'}</p>
      </div>
      {rows > 0 && <Link to="/explore" className={styles.push}>Search them</Link>}
    </div>
  )
}

function FirstAdmin() {
  const client = useQueryClient()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const make = useMutation({
    mutationFn: () => admin.first({ email, password }),
    onSuccess: (session) => client.setQueryData(['session'], session),
  })
  return (
    <section className={styles.panel} aria-label="First administrator">
      <h2>Create the first administrator <span className={styles.dim}>(now or later)</span></h2>
      <p className={styles.dim}>Until somebody has an account, Cordwood serves this machine alone. From then on everybody signs in, and programs need a token.</p>
      <Form label="First administrator" error={make.error} onSubmit={() => make.mutate()}>
        <Field label="Email" grow><input type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} /></Field>
        <Field label="Password, 8 characters or more" grow><input type="password" autoComplete="new-password" required minLength={8} value={password} onChange={(event) => setPassword(event.target.value)} /></Field>
        <Button type="submit" look="primary" disabled={make.isPending}>Create the administrator</Button>
      </Form>
    </section>
  )
}

interface TokenPartProps { readonly token: string; readonly may: boolean; readonly onToken: (token: string) => void }

function TokenPart({ token, may, onToken }: TokenPartProps) {
  const make = useMutation({ mutationFn: () => admin.createToken({ name: 'get started', scopes: ['ingest'] }), onSuccess: ({ secret }) => onToken(secret) })
  return (
    <section className={styles.panel} aria-label="Token">
      <div className={styles.row}>
        <h2>A token for your shippers</h2>
        {may && !token && <Button className={styles.push} look="primary" disabled={make.isPending} onClick={() => make.mutate()}>Make one</Button>}
      </div>
      {token ? <p>It is in the snippets below, and is not shown again when you leave this page. <Link to="/settings/$section" params={{ section: 'tokens' }}>All tokens</Link></p>
        : <p className={styles.dim}>{may ? 'It may send events and do nothing else.' : 'Ask an administrator for one, and put it where YOUR_TOKEN stands.'}</p>}
      {make.isError && <p role="alert" className={styles.bad}>{make.error.message}</p>}
    </section>
  )
}

function Shippers({ token }: { readonly token: string }) {
  const [chosen, setChosen] = useState(SHIPPERS[0]?.id)
  const to = target(location.origin, token)
  const shipper = SHIPPERS.find((one) => one.id === chosen)
  return (
    <section className={styles.panel} aria-label="Shippers">
      <div className={styles.choices} role="group" aria-label="Shipper">
        {SHIPPERS.map(({ id, name }) => <Button key={id} look="quiet" pressed={id === chosen} onClick={() => setChosen(id)}>{name}</Button>)}
      </div>
      {shipper && (
        <>
          {shipper.note && <p className={styles.dim}>{shipper.note}</p>}
          <Snippet label={`Send from ${shipper.name}`} text={shipper.text(to)} />
        </>
      )}
    </section>
  )
}
