import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useId, useState, type SyntheticEvent } from 'react'
import { messageOf } from '@/api/problem'
import { shares, type NewShare } from '@/api/shares'
import { Button } from '@/components/ui/Button'
import { CopyButton } from '@/components/ui/CopyButton'
import styles from './ShareForm.module.css'

const SPANS = [['1h', 'an hour'], ['1d', 'a day'], ['7d', '7 days'], ['30d', '30 days'], ['90d', '90 days']] as const

/** Create a link that shows this to whoever has it, without signing in, until it ends. */
export function ShareForm({ subject, title: first }: { readonly subject: Omit<NewShare, 'title' | 'valid_for'>; readonly title: string }) {
  const id = useId()
  const client = useQueryClient()
  const [title, setTitle] = useState(first.slice(0, 200))
  const [span, setSpan] = useState('7d')
  const make = useMutation({
    mutationFn: () => shares.create({ ...subject, title, valid_for: span }),
    onSettled: () => client.invalidateQueries({ queryKey: ['shares'] }),
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    make.mutate()
  }
  if (make.data) {
    return (
      <div className={styles.form} role="status">
        <p>Copy it now: it is not shown again.</p>
        <div className={styles.link}><code>{make.data.link}</code><CopyButton text={make.data.link} label="Copy: the link">Copy</CopyButton></div>
        <p className={styles.note}>Whoever has it sees what you may see. Settings → Shared links ends it.</p>
      </div>
    )
  }
  return (
    <form className={styles.form} aria-label="Share by a link" onSubmit={submit}>
      <label htmlFor={`${id}title`}>Title</label>
      <input id={`${id}title`} data-autofocus required maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} />
      <label htmlFor={`${id}span`}>Good for</label>
      <select id={`${id}span`} value={span} onChange={(event) => setSpan(event.target.value)}>{SPANS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select>
      {make.isError && <p className={styles.wrong} role="alert">{messageOf(make.error)}</p>}
      <Button look="primary" type="submit" disabled={make.isPending}>Create a link</Button>
      <p className={styles.note}>Whoever has the link sees this without signing in, with your rights as they are then.</p>
    </form>
  )
}
