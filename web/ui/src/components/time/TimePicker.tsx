import { ChevronDown, Clock3, Undo2, ZoomOut } from 'lucide-react'
import { useId, useState, type SyntheticEvent } from 'react'
import { Button } from '@/components/ui/Button'
import { Popover } from '@/components/ui/Popover'
import { cx } from '@/lib/cx'
import { zoneName } from '@/lib/format'
import { describe, inputText, instant, parseInput, QUICK_RANGES, sameRange, type Range } from '@/lib/time/range'
import styles from './TimePicker.module.css'

interface TimePickerProps {
  readonly range: Range
  readonly utc: boolean
  readonly onChange: (range: Range) => void
  readonly onBack: (() => void) | null
  readonly onZoomOut: () => void
  readonly onZone: (utc: boolean) => void
}

/** The time range: quick ones, exact ends, wider, back to the one before, and the zone that times are shown in. */
export function TimePicker({ range, utc, onChange, onBack, onZoomOut, onZone }: TimePickerProps) {
  return (
    <div className={styles.group} role="group" aria-label="Time range">
      {onBack && <Button icon={<Undo2 />} onClick={onBack} title="Back to the previous range" aria-label="Back to the previous range" />}
      <Button icon={<ZoomOut />} onClick={onZoomOut} title="Zoom out" aria-label="Zoom out" disabled={range.from === null} className={styles.zoom} />
      <Popover label={`Time range: ${describe(range, utc)}`} align="end" className={styles.button} icon={<Clock3 />} text={<span className={styles.text}>{describe(range, utc)} <ChevronDown aria-hidden /></span>}>
        {(close) => (
          <div className={styles.panel}>
            <ul className={styles.quick} aria-label="Quick ranges">
              {QUICK_RANGES.map((item) => (
                <li key={item.label}>
                  <button
                    type="button"
                    className={cx(styles.item, sameRange(item.range, range) && styles.current)}
                    aria-current={sameRange(item.range, range)}
                    onClick={() => { onChange(item.range); close() }}
                  >
                    {item.label}
                  </button>
                </li>
              ))}
            </ul>
            <Exact key={`${range.from ?? ''}|${range.to ?? ''}|${utc}`} range={range} utc={utc} onZone={onZone} onApply={(next) => { onChange(next); close() }} />
          </div>
        )}
      </Popover>
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
