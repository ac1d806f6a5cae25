/** Rates from two looks at counters. */
import type { Pipelines } from '@/api/admin'
import { compact } from '@/lib/format'

/** `1 event`, `2,403 events`, `1.2 M events`. */
export const events = (value: number): string => `${compact(value)} ${value === 1 ? 'event' : 'events'}`

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

/** The way to a step: its number in the pipeline, and within a route the branch's number and the step's in it. */
export type Path = readonly number[]
type Step = Pipelines['pipelines'][number]['parse'][number]
type Branch = Step['branches'][number]

function stepAt(from: Pipelines | undefined, pipeline: string, path: Path): Step | undefined {
  let steps: readonly Step[] | undefined = from?.pipelines.find((one) => one.name === pipeline)?.parse
  for (let at = 0; at + 1 < path.length; at += 2) steps = steps?.[path[at] ?? -1]?.branches[path[at + 1] ?? -1]?.parse
  return steps?.[path.at(-1) ?? -1]
}

/** Events a second through a step of a pipeline. */
export function stepRate(looks: Looks, pipeline: string, path: Path): Rate {
  const [now, before] = [stepAt(looks.now, pipeline, path), stepAt(looks.before, pipeline, path)]
  return now === undefined ? null : rate(looks, now.events, before?.type === now.type ? before.events : undefined)
}

/** Events a second through a branch of the route at `path`. */
export function branchRate(looks: Looks, pipeline: string, path: Path, branch: number): Rate {
  const find = (from: Pipelines | undefined): Branch | undefined => stepAt(from, pipeline, path)?.branches[branch]
  const [now, before] = [find(looks.now), find(looks.before)]
  return now === undefined ? null : rate(looks, now.events, before?.when === now.when ? before.events : undefined)
}

/** Events a second that an output sends. */
export function outputRate(looks: Looks, name: string): Rate {
  const find = (from: Pipelines | undefined) => from?.outputs.find((output) => output.name === name)?.events
  const now = find(looks.now)
  return now === undefined ? null : rate(looks, now, find(looks.before))
}

/** Events a second into the store. */
export const storeRate = (looks: Looks): Rate => rate(looks, looks.now.store.events, looks.before?.store.events)

export const rateText = (value: Rate): string => (value === null ? '–' : value === 0 ? '0/s' : value < 10 ? `${value.toFixed(1)}/s` : `${Math.round(value).toLocaleString('en-US')}/s`)
