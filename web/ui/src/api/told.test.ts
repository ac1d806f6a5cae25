import { expect, it } from 'vitest'
import { eventsOfStream } from './told'

const STREAM = 'event: progress\ndata: {"rows": 1}\n\n: still here\n\nevent: result\ndata: {"rows": [["größe 😀\\n\\n"]]}\n\nevent: end\ndata: {}\n\nevent: cut\ndata: {"a"'

it.each([1, 2, 3, 7, 64, 10_000])('events come whole in pieces of %i bytes', async (size) => {
  const bytes = new TextEncoder().encode(STREAM)
  const stream = new ReadableStream<Uint8Array>({
    start(to) {
      for (let at = 0; at < bytes.length; at += size) to.enqueue(bytes.slice(at, at + size))
      to.close()
    },
  })
  const found: [string, unknown][] = []
  for await (const one of eventsOfStream(stream)) found.push(one)
  expect(found).toEqual([['progress', { rows: 1 }], ['result', { rows: [['größe 😀\n\n']] }], ['end', {}]])
})
