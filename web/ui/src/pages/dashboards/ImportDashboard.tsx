import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Upload, X } from 'lucide-react'
import { useId, useRef, useState } from 'react'
import { dashboards, type Dashboard, type Tagged } from '@/api/dashboards'
import { Button } from '@/components/ui/Button'
import { Modal } from '@/components/ui/Modal'
import { Refused } from './Refused'
import styles from './Editors.module.css'

/** A dashboard from its JSON, pasted or of a file; the server checks it. */
export default function ImportDashboard({ onDone, onClose }: { readonly onDone: (made: Tagged) => void; readonly onClose: () => void }) {
  const id = useId()
  const client = useQueryClient()
  const file = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  const take = useMutation({
    mutationFn: async () => dashboards.create(parsed(text)),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['dashboards'] })
      onDone(made)
    },
  })
  const read = async (chosen: File | undefined) => {
    if (chosen) setText(await chosen.text())
  }
  return (
    <Modal label="Import a dashboard" onClose={onClose}>
      <header className={styles.head}>
        <h2>Import a dashboard</h2>
        <Button look="quiet" icon={<X />} aria-label="Close" onClick={onClose} />
      </header>
      <div className={styles.form}>
        <div>
          <input ref={file} type="file" accept="application/json,.json" className="sr-only" tabIndex={-1} aria-label="A file with a dashboard" onChange={(event) => void read(event.target.files?.[0])} />
          <Button icon={<Upload />} onClick={() => file.current?.click()}>Choose a file</Button>
        </div>
        <label htmlFor={`${id}json`}>or paste its JSON</label>
        <textarea id={`${id}json`} rows={12} value={text} spellCheck={false} placeholder={'{"name": "errors", "title": "Errors", "panels": […]}'} onChange={(event) => setText(event.target.value)} />
        {take.isError && <Refused error={take.error} document={parsedOrNull(text)} />}
      </div>
      <footer className={styles.foot}>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" disabled={text.trim() === '' || take.isPending} onClick={() => take.mutate()}>Import</Button>
      </footer>
    </Modal>
  )
}

function parsed(text: string): Dashboard {
  try {
    return JSON.parse(text) as Dashboard
  } catch (error) {
    throw new Error(`This is no JSON: ${error instanceof Error ? error.message : ''}`, { cause: error })
  }
}

function parsedOrNull(text: string): Dashboard | null {
  try {
    return parsed(text)
  } catch {
    return null
  }
}
