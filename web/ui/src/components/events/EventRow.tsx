import { memo, type ReactNode } from 'react'
import { SeverityTag } from '@/components/ui/SeverityTag'
import { NO_COLUMNS } from '@/lib/columns'
import { cx } from '@/lib/cx'
import { attributesOf, timeOf, type LogEvent } from '@/lib/events'
import { timeParts, valueText } from '@/lib/format'
import { levelOf } from '@/lib/severity'
import styles from './EventRow.module.css'

interface EventRowProps {
  readonly event: LogEvent
  readonly utc: boolean
  readonly wrap: boolean
  readonly withDate: boolean
  readonly selected: boolean
  /** Words of the query to mark in the message. */
  readonly marks: RegExp | null
  /** Fields with a column of their own; without any, all follow the message. */
  readonly columns?: readonly string[]
}

const MOST_ATTRIBUTES = 12

/** One event in one line: time, severity, service, chosen columns, message; without columns then its attributes. */
export const EventRow = memo(function EventRow({ event, utc, wrap, withDate, selected, marks, columns = NO_COLUMNS }: EventRowProps) {
  const parts = timeParts(timeOf(event), utc)
  const message = valueText(event['message'])
  return (
    <div className={cx(styles.row, wrap && styles.wrap, selected && styles.selected, styles[levelOf(event['severity']).toLowerCase()])}>
      <time className={cx(styles.time, withDate && styles.dated)} dateTime={timeOf(event)}>
        {parts ? <>{withDate && <span>{parts.date.slice(5)} </span>}{parts.clock}<i>.{parts.fraction.slice(0, 3)}</i></> : '—'}
      </time>
      <SeverityTag severity={event['severity']} className={styles.severity} />
      <span className={styles.service}>{valueText(event['service'])}</span>
      {columns.map((name) => <span key={name} className={styles.column} data-name={name} title={valueText(event[name])}>{valueText(event[name])}</span>)}
      <span className={styles.message}>
        {message ? marked(message, marks) : <em>no message</em>}
        {columns.length === 0 && attributesOf(event).slice(0, MOST_ATTRIBUTES).map(([name, value]) => (
          <span key={name} className={styles.attribute}> <b>{name}=</b>{valueText(value)}</span>
        ))}
      </span>
    </div>
  )
})

function marked(text: string, marks: RegExp | null): ReactNode {
  if (!marks) return text
  const pieces = text.split(marks)
  return pieces.length === 1 ? text : pieces.map((piece, at) => (at % 2 === 1 ? <mark key={at}>{piece}</mark> : piece))
}
