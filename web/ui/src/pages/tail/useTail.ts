/** Follows the server's tail: events gathered and shown ten times a second, so that a flood costs no more than a trickle. */
import { useEffect, useReducer, useState } from 'react'
import { problem, type ApiError } from '@/api/problem'
import type { LogEvent } from '@/lib/events'
import { Rate, START, tailReducer } from '@/lib/tail'

export type Connection = 'connecting' | 'live' | 'lost' | 'refused'

const TICK_MS = 100
const RATE_TICKS = 5

export function useTail(query: string, attempt: number) {
  const [state, dispatch] = useReducer(tailReducer, START)
  const [connection, setConnection] = useState<Connection>('connecting')
  const [error, setError] = useState<ApiError | null>(null)
  const [rate, setRate] = useState(0)

  useEffect(() => {
    const url = `/api/v1/tail?query=${encodeURIComponent(query)}`
    const stream = new EventSource(url)
    const meter = new Rate()
    let gathered: LogEvent[] = []
    let ticks = 0
    let done = false

    stream.onopen = () => setConnection('live')
    stream.addEventListener('event', (message) => gathered.push(JSON.parse(message.data as string) as LogEvent))
    // What is wrong with the filter only when it meets the data; the server ends the stream after it.
    stream.addEventListener('problem', (message) => {
      stream.close()
      setConnection('refused')
      setError(problem(400, JSON.parse(message.data as string)))
    })
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED) return setConnection('lost') // the browser tries again, from the last id
      setConnection('refused')
      // An EventSource hides why it was refused: ask again in a way that can read the answer.
      void reason(url).then((found) => done || setError(found))
      return undefined
    }
    const timer = setInterval(() => {
      ticks += 1
      meter.add(gathered.length, performance.now())
      if (gathered.length > 0) dispatch({ type: 'arrive', events: gathered })
      gathered = []
      if (ticks % RATE_TICKS === 0) setRate(meter.perSecond(performance.now()))
    }, TICK_MS)
    return () => {
      done = true
      stream.close()
      clearInterval(timer)
      dispatch({ type: 'restart' })
      setConnection('connecting')
      setError(null)
    }
  }, [query, attempt])

  return { state, dispatch, connection, error, rate }
}

async function reason(url: string): Promise<ApiError | null> {
  const abort = new AbortController()
  try {
    const response = await fetch(url, { signal: abort.signal, headers: { Accept: 'text/event-stream, application/problem+json' } })
    return response.ok ? null : problem(response.status, await response.json().catch(() => null))
  } catch {
    return problem(0, 'The server cannot be reached. Is Cordwood running?')
  } finally {
    abort.abort()
  }
}
