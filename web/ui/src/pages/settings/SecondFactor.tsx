import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { admin } from '@/api/admin'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { CopyButton } from '@/components/ui/CopyButton'
import { Field, Form } from '@/components/ui/Form'
import { asksAgain, SignInAgain } from './SignInAgain'
import { Loaded } from './parts'
import styles from './settings.module.css'

/** Codes of an authenticator app beside the password: turned on with the first code, off with another. */
export function SecondFactor() {
  const client = useQueryClient()
  const [code, setCode] = useState('')
  const [codes, setCodes] = useState<readonly string[]>([])
  const state = useQuery({ queryKey: ['second-factor'], queryFn: ({ signal }) => admin.secondFactor(signal) })
  const again = () => client.invalidateQueries({ queryKey: ['second-factor'] })
  const begin = useMutation({ mutationFn: () => admin.startSecondFactor(), onError: again })
  const confirm = useMutation({
    mutationFn: () => admin.confirmSecondFactor(code),
    onSuccess: async (made) => {
      setCode('')
      setCodes(made)
      begin.reset()
      await again()
    },
  })
  const stop = useMutation({
    mutationFn: () => admin.stopSecondFactor(code),
    onSuccess: async () => {
      setCode('')
      setCodes([])
      await again()
    },
  })
  const field = (label: string) => (
    <Field label={label} grow><input required maxLength={40} autoComplete="one-time-code" value={code} placeholder="287082" onChange={(event) => setCode(event.target.value)} /></Field>
  )
  return (
    <div className={styles.panel} role="region" aria-label="Second factor">
      <h2>Second factor</h2>
      <p className={styles.note}>With it, the password alone is not enough: signing in also asks for the code that an authenticator app shows.</p>
      {codes.length > 0 && (
        <div role="status" className={styles.recovery}>
          <p>Keep these recovery codes: each signs in once where the app is lost. They are not shown again.</p>
          <pre className={styles.codes}>{codes.join('\n')}</pre>
          <div><CopyButton text={codes.join('\n')} label="Copy: recovery codes">Copy</CopyButton></div>
        </div>
      )}
      <Loaded query={state}>
        {({ on, recovery_codes_left }) => {
          if (on) return (
            <>
              <p>It is on, with {recovery_codes_left} recovery codes left.</p>
              <Form label="Turn the second factor off" error={stop.error} onSubmit={() => stop.mutate()}>
                {field('Code, or a recovery code')}
                <Button type="submit" disabled={stop.isPending}>Turn it off</Button>
              </Form>
            </>
          )
          if (begin.data) return (
            <>
              <p>Scan this with the app, or type <code className={styles.query}>{begin.data.secret}</code> into it. Then give the code that it shows.</p>
              <img className={styles.qr} src={begin.data.qr} alt="QR code for the authenticator app" />
              <Form label="Turn the second factor on" error={confirm.error} onSubmit={() => confirm.mutate()}>
                {field('Code')}
                <Button type="submit" look="primary" disabled={confirm.isPending}>Turn it on</Button>
              </Form>
            </>
          )
          return <div><Button disabled={begin.isPending} onClick={() => begin.mutate()}>Set up an app</Button></div>
        }}
      </Loaded>
      <SignInAgain error={begin.error} onDone={() => begin.mutate()} />
      {begin.isError && !asksAgain(begin.error) && <p role="alert" className={styles.bad}>{messageOf(begin.error)}</p>}
    </div>
  )
}
