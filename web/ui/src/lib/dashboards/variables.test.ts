import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Variable } from '@/api/dashboards'
import { fill } from './variables'

interface Case { name: string; text: string; chosen: Record<string, string[]>; filled: string }

const cases = JSON.parse(readFileSync(new URL('../../../../../tests/dashboards/substitution.json', import.meta.url), 'utf8')) as Case[]
const variables: Variable[] = [
  { name: 'service', field: 'service', values: ['a'], multiple: true },
  { name: 'least', values: ['100'], default: ['100'], multiple: true },
  { name: 'odd', field: 'odd ` name', values: ['x'] },
  { name: 'by', field: 'by', values: ['x'] },
]

describe('variables become values, as on the server', () => {
  it.each(cases)('$name', ({ text, chosen, filled }) => {
    expect(fill(text, variables, chosen)).toBe(filled)
  })
})
