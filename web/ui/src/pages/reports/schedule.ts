/** A cron schedule as people say it. */
const DAYS: Readonly<Record<string, string>> = { SUN: 'Sundays', MON: 'Mondays', TUE: 'Tuesdays', WED: 'Wednesdays', THU: 'Thursdays', FRI: 'Fridays', SAT: 'Saturdays' }
const NUMBERS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN']

/** `0 8 * * MON` as `Mondays at 08:00`; whatever is rarer than a time of certain days stays as it is written. */
export function scheduleWords(schedule: string): string {
  const found = /^(\d{1,2}) (\d{1,2}) (\*|\d{1,2}) \* (\S+)$/.exec(schedule.trim())
  if (!found) return schedule
  const [, minute = '', hour = '', date = '', week = ''] = found
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
  if (date !== '*') return week === '*' ? `monthly on day ${date} at ${time}` : schedule
  if (week === '*') return `daily at ${time}`
  if (/^(MON-FRI|1-5)$/i.test(week)) return `weekdays at ${time}`
  const days = week.split(',').map((day) => DAYS[NUMBERS[Number(day)] ?? day.toUpperCase()])
  return days.includes(undefined) ? schedule : `${days.join(', ')} at ${time}`
}
