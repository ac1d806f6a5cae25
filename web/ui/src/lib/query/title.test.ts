import { describe, expect, it } from 'vitest'
import { titleOf } from './title'

describe('titleOf', () => {
  it.each([
    ['', 'Events by severity'],
    ['card declined', 'Events by severity · card declined'],
    ['severity>=error | stats count() as n by service', 'Errors by service'],
    ['severity>=error service:checkout', 'Errors by severity · checkout'],
    ['severity>=warn | stats count()', 'Warnings and worse'],
    ['level:warn | stats count()', 'Warnings'],
    ['| stats count() as failed_logins by user', 'Failed logins by user'],
    ['service:checkout | timechart span=5m p95(took_ms)', 'p95 of took_ms over time · checkout'],
    ['| timechart count() by severity', 'Events by severity over time'],
    ['| timechart avg(took_ms), max(took_ms) by host', 'Average took_ms, Largest took_ms by host over time'],
    ['| top 5 http.path', 'Most frequent http.path'],
    ['| rare `odd name` by service', 'Rarest odd name by service'],
    ['severity>=error | patterns', 'Patterns of errors'],
    ['status>=500 | where took_ms>9 | stats distinct(user)', 'Distinct user · status>=500'],
    ['status>=500 | sort took_ms | limit 5', 'Events · status>=500'],
    ['severity>=error or status>=500 | stats count()', 'Events · severity>=error or status>=500'],
    ['| stats', 'Events'],
    ['| stats count(', 'count('],
  ])('%s', (query, title) => { expect(titleOf(query)).toBe(title) })

  it('is short', () => {
    const title = titleOf(`${'word '.repeat(40)}| stats count()`)
    expect(title.length).toBeLessThanOrEqual(80)
    expect(title.endsWith('…')).toBe(true)
  })
})
