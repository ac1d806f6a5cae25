import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { admin } from '@/api/admin'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'

/** Change one's own password. */
export function PasswordForm({ onDone }: { readonly onDone: () => void }) {
  const [current, setCurrent] = useState('')
  const [fresh, setFresh] = useState('')
  const change = useMutation({
    mutationFn: () => admin.changePassword({ current, new: fresh }),
    onSuccess: () => {
      setCurrent('')
      setFresh('')
      onDone()
    },
  })
  return (
    <Form label="Change your password" error={change.error} onSubmit={() => change.mutate()}>
      <Field label="Current password" grow><input type="password" autoComplete="current-password" required value={current} onChange={(event) => setCurrent(event.target.value)} /></Field>
      <Field label="New password" grow><input type="password" autoComplete="new-password" required minLength={8} value={fresh} onChange={(event) => setFresh(event.target.value)} /></Field>
      <Button type="submit" look="primary" disabled={change.isPending}>Change password</Button>
    </Form>
  )
}
