/**
 * `$name` in the queries of a dashboard: replaced by what was chosen, always as quoted values.
 *
 * As `core/dashboards/variables.py` does it on the server; both are held to `tests/dashboards/substitution.json`.
 */
import type { Variable } from '@/api/dashboards'
import { quoteField, quoteText } from '@/lib/query/edit'

export type Chosen = Readonly<Record<string, readonly string[]>>

const TOKEN = /"(?:[^"\\]|\\[^])*"?|'(?:[^'\\]|\\[^])*'?|`(?:[^`\\]|\\[^])*`?|(?<![^\s(,:=~])\/(?:[^/\\\n]|\\[^])+\/i?(?=[\s)|,]|$)|\$([a-z][a-z0-9_]*)/g

/** The query with each variable replaced; names that no variable has stay, and the server says so. */
export function fill(text: string, variables: readonly Variable[], chosen: Chosen): string {
  const known = new Map(variables.map((variable) => [variable.name, variable]))
  return text.replace(TOKEN, (token, name: string | undefined) => {
    const variable = name === undefined ? undefined : known.get(name)
    return variable ? written(variable, chosen[variable.name] ?? variable.default ?? []) : token
  })
}

/** What stands for a variable: a term of its field, or the values in quotes. */
export function written(variable: Variable, values: readonly string[]): string {
  if (variable.field === null || variable.field === undefined) return values.map(quoteText).join(', ') || '""'
  const field = quoteField(variable.field)
  // `=` takes every character as it is; in a list after `:` or `in`, a star would stand for any run of them.
  const terms = values.map((value) => `${field}=${quoteText(value)}`).join(' or ')
  return values.length === 0 ? '*' : values.length === 1 ? terms : `(${terms})`
}
