import { useId, useState, type SyntheticEvent } from 'react'
import { Button } from '@/components/ui/Button'
import { cx } from '@/lib/cx'
import { zoneName } from '@/lib/format'
import { inputText, instant, parseInput, QUICK_RANGES, sameRange, type Range } from '@/lib/time/range'
import styles from './TimePicker.module.css'

interface TimePanelProps {
  readonly range: Range
  readonly utc: boolean
  readonly onPick: (range: Range) => void
  readonly onZone: (utc: boolean) => void
}

/** What the picker's button opens: quick ranges, exact ends, the zone. */
export default function TimePanel({ range, utc, onPick, onZone }: TimePanelProps) {
  return (
    <div className={styles.panel}>
      <ul className={styles.quick} aria-label="Quick ranges">
        {QUICK_RANGES.map((item) => (
          <li key={item.label}>
            <button type="button" className={cx(styles.item, sameRange(item.range, range) && styles.current)} aria-current={sameRange(item.range, range)} onClick={() => onPick(item.range)}>
              {item.label}
            </button>
          </li>
        ))}
      </ul>
      <Exact key={`${range.from ?? ''}|${range.to ?? ''}|${utc}`} range={range} utc={utc} onZone={onZone} onApply={onPick} />
    </div>
  )
}

interface ExactProps {
  readonly range: Range
  readonly utc: boolean
  readonly onApply: (range: Range) => void
  readonly onZone: (utc: boolean) => void
}

function Exact({ range, utc, onApply, onZone }: ExactProps) {
  const id = useId()
  const [from, setFrom] = useState(range.from === null ? '' : inputText(range.from, utc))
  const [to, setTo] = useState(range.to === null ? '' : inputText(range.to, utc))
  const [wrong, setWrong] = useState<string | null>(null)

  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    const [start, end] = [parseInput(from, utc), parseInput(to, utc)]
    if (start === undefined || end === undefined) {
      setWrong(`“${start === undefined ? from : to}” is no time. Write 2026-01-31 12:00:00, or -2h for two hours ago.`)
      return
    }
    const now = Date.now()
    const [a, b] = [start === null ? -Infinity : instant(start, now) ?? 0, end === null ? now : instant(end, now) ?? 0]
    if (a >= b) setWrong('The beginning is not before the end.')
    else onApply({ from: start, to: end })
  }

  return (
    <form className={styles.exact} onSubmit={submit}>
      <label htmlFor={`${id}from`}>From</label>
      <input id={`${id}from`} className={styles.field} value={from} placeholder="the first event" onChange={(event) => setFrom(event.target.value)} spellCheck={false} autoComplete="off" />
      <label htmlFor={`${id}to`}>To</label>
      <input id={`${id}to`} className={styles.field} value={to} placeholder="now" onChange={(event) => setTo(event.target.value)} spellCheck={false} autoComplete="off" />
      {wrong && <p className={styles.wrong} role="alert">{wrong}</p>}
      <Button look="primary" type="submit">Apply range</Button>
      <p className={styles.help}>An exact time, or how long ago: <code>-90m</code>, <code>-2h</code>, <code>-3d</code>.</p>
      <fieldset className={styles.zone}>
        <legend>Times are shown in</legend>
        <label><input type="radio" name={`${id}zone`} checked={!utc} onChange={() => onZone(false)} /> local time <span>{zoneName(false)}</span></label>
        <label><input type="radio" name={`${id}zone`} checked={utc} onChange={() => onZone(true)} /> UTC</label>
      </fieldset>
    </form>
  )
}
