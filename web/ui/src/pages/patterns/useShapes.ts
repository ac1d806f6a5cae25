/** What people made of patterns, and how to make more of it: each change says what it did, and can be taken back. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '@/api/client'
import { shapes, type Shape, type ShapeBody } from '@/api/patterns'

const KEY = ['shaped-patterns']

export interface Done {
  readonly what: string
  readonly back: () => Promise<unknown>
}

export const PLACEHOLDER = '<*>'
const DELIMITERS = String.raw` \t\n\r\x0b\x0c=:,()\[\]{}"'<>|;&?`
const MASK = new RegExp(`[^0-9${DELIMITERS}]*[0-9][^${DELIMITERS}]*`, 'g')

/** The message without its values: as it is compared with patterns. */
export const maskOf = (message: string): string => message.replace(MASK, PLACEHOLDER)

const bodyOf = ({ patterns, name, split }: ShapeBody): ShapeBody => ({ patterns, name: name ?? null, split: split ?? null })

export function useShapes(onChange: () => void) {
  const client = useQueryClient()
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => api.session(signal) })
  const may = session.data?.permissions.includes('edit') === true
  // Who sees a part of the events is refused the list: then patterns are as they are.
  const found = useQuery({ queryKey: KEY, queryFn: ({ signal }) => shapes.list(signal), retry: false, staleTime: 0 })
  const [done, setDone] = useState<Done | null>(null)
  const act = useMutation({
    mutationFn: (run: () => Promise<Done | null>) => run(),
    onSuccess: (made) => {
      setDone(made)
      void client.invalidateQueries({ queryKey: KEY })
      onChange()
    },
  })
  const create = (body: ShapeBody, what: string) => act.mutate(async () => {
    const made = await shapes.create(body)
    return { what, back: async () => { await shapes.undo(made.id); for (const one of made.merged) await shapes.create(bodyOf(one)) } }
  })
  const change = (shape: Shape, body: ShapeBody, what: string) => act.mutate(async () => {
    const made = await shapes.change(shape, body)
    return { what, back: () => shapes.change(made, bodyOf(shape)) }
  })
  return {
    may, done, error: act.error, busy: act.isPending,
    all: found.data ?? [],
    merge: (patterns: readonly string[], name: string) => create({ patterns: [...patterns], name: name || null }, `Merged ${patterns.length} patterns.`),
    takeOut: (text: string) => create({ patterns: [text] }, 'Taken out as a pattern of its own.'),
    split: (text: string, place: number, shape: Shape | undefined) => shape
      ? change(shape, { ...bodyOf(shape), split: place }, 'Split by its values.')
      : create({ patterns: [text], split: place }, 'Split by its values.'),
    rename: (text: string, name: string, shape: Shape | undefined) => shape
      ? change(shape, { ...bodyOf(shape), name: name || null }, 'Renamed.')
      : create({ patterns: [text], name }, 'Named.'),
    undo: (shape: Shape) => act.mutate(async () => {
      await shapes.undo(shape.id)
      return { what: 'Undone.', back: () => shapes.create(bodyOf(shape)) }
    }),
    takeBack: () => done && act.mutate(async () => { await done.back(); return null }),
  }
}

export type Shapes = ReturnType<typeof useShapes>
