import { expect, it } from 'vitest'
import { scheduleWords } from './schedule'

it.each([
  ['0 8 * * MON', 'Mondays at 08:00'], ['30 17 * * fri', 'Fridays at 17:30'], ['5 0 * * *', 'daily at 00:05'], ['0 9 * * 1-5', 'weekdays at 09:00'],
  ['0 9 * * MON,THU', 'Mondays, Thursdays at 09:00'], ['0 9 * * 7', 'Sundays at 09:00'], ['0 6 1 * *', 'monthly on day 1 at 06:00'],
  ['0 6 1 * MON', '0 6 1 * MON'], ['*/5 * * * *', '*/5 * * * *'], ['0 8 * * MON-WED', '0 8 * * MON-WED'], ['@daily', '@daily'],
])('%s is %s', (schedule, words) => expect(scheduleWords(schedule)).toBe(words))
