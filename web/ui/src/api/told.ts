/** A query whose server tells how far it is: server-sent events, of which the last but one is the answer. */
import type { Answer, QueryBody } from './client'
import { ApiError, problem } from './problem'

export interface Progress {
  readonly segments_opened: number
  readonly segments_total: number
  readonly rows: number
  readonly bytes: number
}

export async function queryTold(body: QueryBody, signal: AbortSignal, onProgress: (progress: Progress) => void): Promise<Answer> {
  const response = await fetch('/api/v1/query', {
    method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' }, body: JSON.stringify(body), signal,
  })
  if (!response.ok || !response.body) throw problem(response.status, await response.json().catch(() => null))
  for await (const [name, data] of eventsOfStream(response.body)) {
    if (name === 'progress') onProgress(data as Progress)
    else if (name === 'result') return data as Answer
    else if (name === 'problem') throw problem((data as { status: number }).status, data)
  }
  throw new ApiError(0, 'The answer broke off. Run the query again.')
}

/** The name and the data of each event, however the network cut the stream. */
export async function* eventsOfStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<[string, unknown]> {
  const reader = stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let text = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      let looked = Math.max(0, text.length - 1) // a large answer comes in many pieces: none is looked through twice
      text += value
      for (let end = text.indexOf('\n\n', looked); end >= 0; end = text.indexOf('\n\n', looked)) {
        const lines = text.slice(0, end).split('\n')
        text = text.slice(end + 2)
        looked = 0
        const of = (field: string) => lines.filter((line) => line.startsWith(`${field}: `)).map((line) => line.slice(field.length + 2)).join('\n')
        const data = of('data')
        if (data) yield [of('event'), JSON.parse(data)]
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined)
  }
}
