import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '@/api/client'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import lists from './Lists.module.css'
import styles from './IncidentPage.module.css'

/** Write something into the incident's timeline; Ctrl-Enter sends it. */
export function CommentBox({ id }: { readonly id: number }) {
  const client = useQueryClient()
  const [text, setText] = useState('')
  const send = useMutation({
    mutationFn: () => api.comment(id, text.trim()),
    onSuccess: async () => {
      setText('')
      await client.invalidateQueries({ queryKey: ['incident', id] })
    },
  })
  const ready = text.trim() !== '' && !send.isPending
  return (
    <form className={styles.comment} onSubmit={(event) => { event.preventDefault(); if (ready) send.mutate() }}>
      <textarea aria-label="Comment" placeholder="What you found, what you did" rows={2} maxLength={10_000} value={text} onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && ready) send.mutate() }} />
      <Button type="submit" disabled={!ready}>Comment</Button>
      {send.isError && <p className={lists.wrong} role="alert">{messageOf(send.error)}</p>}
    </form>
  )
}
