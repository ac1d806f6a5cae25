import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Incident } from '@/api/client'
import { messageOf } from '@/api/problem'
import { silences } from '@/api/silences'
import { Button } from '@/components/ui/Button'
import { Modal } from '@/components/ui/Modal'
import { valueText } from '@/lib/format'
import lists from './Lists.module.css'
import styles from './Silences.module.css'

const HOURS = [[1, '1 hour'], [4, '4 hours'], [24, '1 day'], [72, '3 days'], [168, '7 days']] as const

const hoursFromNow = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString()

/** Tell nobody of an incident, or of all of its detector, for a time. */
export function SilenceForm({ incident, onClose }: { readonly incident: Incident; readonly onClose: () => void }) {
  const client = useQueryClient()
  const group = Object.entries(incident.group).filter(([, value]) => value !== null)
  const [hours, setHours] = useState(1)
  const [whole, setWhole] = useState(group.length === 0)
  const [reason, setReason] = useState('')
  const create = useMutation({
    mutationFn: () =>
      silences.create({
        until: hoursFromNow(hours),
        detectors: [incident.detector],
        match: whole ? {} : Object.fromEntries(group.map(([name, value]) => [name, [valueText(value)]])),
        severities: [],
        reason: reason.trim(),
      }),
    onSuccess: async () => {
      await Promise.all(['incident', 'incidents', 'silences'].map((key) => client.invalidateQueries({ queryKey: [key] })))
      onClose()
    },
  })
  return (
    <Modal label="Silence" onClose={onClose} className={styles.dialog}>
      <form className={styles.form} onSubmit={(event) => { event.preventDefault(); create.mutate() }}>
        <h2>Silence</h2>
        <p>It is recorded as ever, and nobody is told. If it still lasts at the end, people are told then.</p>
        <label>For <select data-autofocus value={hours} onChange={(event) => setHours(Number(event.target.value))}>{HOURS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select></label>
        {group.length > 0 && (
          <fieldset>
            <legend>What</legend>
            <label><input type="radio" name="what" checked={!whole} onChange={() => setWhole(false)} /> <span>{incident.detector}, {group.map(([name, value]) => <code key={name}>{name}={valueText(value)}</code>)}</span></label>
            <label><input type="radio" name="what" checked={whole} onChange={() => setWhole(true)} /> <span>all of {incident.detector}</span></label>
          </fieldset>
        )}
        <label>Reason <input value={reason} maxLength={1000} placeholder="What goes on" onChange={(event) => setReason(event.target.value)} /></label>
        {create.isError && <p className={lists.wrong} role="alert">{messageOf(create.error)}</p>}
        <div className={styles.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={create.isPending}>Silence it</Button>
        </div>
      </form>
    </Modal>
  )
}
