/** The story of an incident, in order of time. */
import type { Incident } from '@/api/client'

export interface Moment {
  readonly at: string
  readonly what: string
  readonly detail?: string
  /** What somebody wrote. */
  readonly text?: string
  readonly tone: 'bad' | 'wait' | 'good' | 'still'
}

const TONES: Record<string, Moment['tone']> = { opened: 'bad', acknowledged: 'wait', silenced: 'still', 'silence ended': 'wait', flapping: 'bad', 'flapping ended': 'still', resolved: 'good' }

/** What happened to it, what the notifiers answered, and when its condition held last. */
export function timelineOf(incident: Incident): Moment[] {
  const moments: Moment[] = incident.timeline.map((moment) => ({
    at: moment.at,
    what: moment.what.charAt(0).toUpperCase() + moment.what.slice(1),
    ...(moment.by !== null ? { detail: `by ${moment.by}` } : moment.what === 'opened' && { detail: `by ${incident.detector}` }),
    ...(moment.text !== undefined && { text: moment.text }),
    tone: TONES[moment.what] ?? 'still',
  }))
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
  if (incident.last_seen_at !== incident.opened_at) moments.push({ at: incident.last_seen_at, what: 'Condition last held', tone: 'still' })
  return moments.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}
