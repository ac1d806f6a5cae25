import { useMutation } from '@tanstack/react-query'
import { useId, useState, useSyncExternalStore, type ReactNode, type SyntheticEvent } from 'react'
import { admin } from '@/api/admin'
import { messageOf } from '@/api/problem'
import { Logo } from '@/components/shell/Logo'
import styles from '@/components/shell/SignIn.module.css'
import { Button } from '@/components/ui/Button'

const watched = (onChange: () => void) => {
  addEventListener('hashchange', onChange)
  return () => removeEventListener('hashchange', onChange)
}

/** Who forgot their password asks for a link here, and with one, which has its secret after #, chooses another. */
export default function ResetPage() {
  const token = useSyncExternalStore(watched, () => location.hash.slice(1))
  return token === '' ? <Ask /> : <Choose key={token} token={token} />
}

function Ask() {
  const id = useId()
  const [email, setEmail] = useState('')
  const ask = useMutation({ mutationFn: () => admin.askForReset(email) })
  if (ask.isSuccess) {
    return (
      <Card title="Look into your mail">
        <p role="status">If {email} has an account with a password here, a link to choose a new one is on its way. It counts once, for half an hour.</p>
        <p className={styles.note}>Nothing came? Look among the unwanted mail, or ask an administrator for a link.</p>
        <p className={styles.note}><a href="/">Back to the sign-in</a></p>
      </Card>
    )
  }
  return (
    <Card title="Forgot your password?" onSubmit={() => ask.mutate()}>
      <label htmlFor={id}>Email</label>
      <input id={id} type="email" autoComplete="username" required autoFocus maxLength={320} value={email} onChange={(event) => setEmail(event.target.value)} />
      {ask.isError && <p role="alert" className={styles.wrong}>{messageOf(ask.error)}</p>}
      <Button type="submit" look="primary" disabled={ask.isPending}>Mail me a link</Button>
      <p className={styles.note}><a href="/">Back to the sign-in</a></p>
    </Card>
  )
}

function Choose({ token }: { readonly token: string }) {
  const id = useId()
  const [password, setPassword] = useState('')
  const choose = useMutation({ mutationFn: () => admin.choosePassword({ token, new: password }) })
  if (choose.isSuccess) {
    return (
      <Card title="Your password is changed">
        <p role="status">All sessions of your account have ended.</p>
        <p><a href="/">Sign in with the new password</a></p>
      </Card>
    )
  }
  return (
    <Card title="Choose a new password" onSubmit={() => choose.mutate()}>
      <label htmlFor={id}>New password, at least 8 characters</label>
      <input id={id} type="password" autoComplete="new-password" required autoFocus minLength={8} maxLength={1024} value={password} onChange={(event) => setPassword(event.target.value)} />
      {choose.isError && <p role="alert" className={styles.wrong}>{messageOf(choose.error)}</p>}
      <Button type="submit" look="primary" disabled={choose.isPending}>Change password</Button>
      <p className={styles.note}><a href="/reset-password">Ask for another link</a></p>
    </Card>
  )
}

function Card({ title, onSubmit, children }: { readonly title: string; readonly onSubmit?: () => void; readonly children: ReactNode }) {
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    onSubmit?.()
  }
  const content = <><div className={styles.brand}><Logo size={38} /><span>Cordwood</span></div><h1>{title}</h1>{children}</>
  return <main className={styles.page}>{onSubmit ? <form className={styles.card} aria-label={title} onSubmit={submit}>{content}</form> : <div className={styles.card}>{content}</div>}</main>
}
