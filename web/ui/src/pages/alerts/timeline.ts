/** The story of an incident, in order of time. */
import type { Incident } from '@/api/client'

export interface Moment {
  readonly at: string
  readonly what: string
  readonly detail?: string
  readonly tone: 'bad' | 'wait' | 'good' | 'still'
}

export function timelineOf(incident: Incident): Moment[] {
  const moments: Moment[] = [{ at: incident.opened_at, what: 'Opened', detail: `by ${incident.detector}`, tone: 'bad' }]
  for (const notification of incident.notifications ?? []) {
    for (const attempt of notification.attempts) {
      moments.push({
        at: attempt.at,
        what: attempt.ok ? `${notification.notifier} was told` : `${notification.notifier} could not be told`,
        detail: attempt.detail,
        tone: attempt.ok ? 'good' : 'bad',
      })
    }
  }
  if (incident.acknowledged_at) moments.push({ at: incident.acknowledged_at, what: 'Acknowledged', tone: 'wait' })
  if (incident.last_seen_at !== incident.opened_at) moments.push({ at: incident.last_seen_at, what: 'Condition last held', tone: 'still' })
  if (incident.resolved_at) moments.push({ at: incident.resolved_at, what: 'Resolved', tone: 'good' })
  return moments.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}
