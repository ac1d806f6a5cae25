import { ChevronDown, Clock3, Undo2, ZoomOut } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { Button } from '@/components/ui/Button'
import { Popover } from '@/components/ui/Popover'
import { describe, type Range } from '@/lib/time/range'
import styles from './TimePicker.module.css'

const TimePanel = lazy(() => import('./TimePanel'))

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
        {(close) => <Suspense><TimePanel range={range} utc={utc} onZone={onZone} onPick={(next) => { onChange(next); close() }} /></Suspense>}
      </Popover>
    </div>
  )
}
