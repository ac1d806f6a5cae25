/** Rates from two looks at counters. */
import type { Pipelines } from '@/api/admin'

export interface Looks { readonly before: Pipelines | undefined; readonly now: Pipelines }
type Rate = number | null

function rate(looks: Looks, now: number, before: number | undefined): Rate {
  const seconds = looks.before ? looks.now.at_s - looks.before.at_s : 0
  return seconds > 0 && before !== undefined && now >= before ? (now - before) / seconds : null
}

/** Events a second of a source; null where there was no earlier look, or the server was started again between. */
export function sourceRate(looks: Looks, name: string): Rate {
  const find = (from: Pipelines | undefined) => from?.sources.find((source) => source.name === name)?.events
  const now = find(looks.now)
  return now === undefined ? null : rate(looks, now, find(looks.before))
}

/** Events a second through a step of a pipeline. */
export function stepRate(looks: Looks, pipeline: string, step: number): Rate {
  const find = (from: Pipelines | undefined) => from?.pipelines.find((one) => one.name === pipeline)?.parse[step]
  const [now, before] = [find(looks.now), find(looks.before)]
  return now === undefined ? null : rate(looks, now.events, before?.type === now.type ? before.events : undefined)
}

/** Events a second into the store. */
export const storeRate = (looks: Looks): Rate => rate(looks, looks.now.store.events, looks.before?.store.events)

export const rateText = (value: Rate): string => (value === null ? '–' : value === 0 ? '0/s' : value < 10 ? `${value.toFixed(1)}/s` : `${Math.round(value).toLocaleString('en-US')}/s`)
