import { useQuery } from '@tanstack/react-query'
import { ChevronDown } from 'lucide-react'
import { useState } from 'react'
import { api } from '@/api/client'
import type { Variable } from '@/api/dashboards'
import { messageOf } from '@/api/problem'
import { Popover } from '@/components/ui/Popover'
import { fill, type Chosen } from '@/lib/dashboards/variables'
import { valueText } from '@/lib/format'
import type { Shared } from './usePanel'
import styles from './VariablesBar.module.css'

interface VariablesBarProps {
  readonly shared: Shared
  readonly onChoose: (name: string, values: readonly string[]) => void
}

/** What can be chosen for all panels: a menu a variable. */
export function VariablesBar({ shared, onChoose }: VariablesBarProps) {
  return shared.variables.map((variable) => (
    <Choice key={variable.name} variable={variable} shared={shared} chosen={shared.chosen[variable.name] ?? []} onChoose={(values) => onChoose(variable.name, values)} />
  ))
}

const SHOWN = 200

function Choice({ variable, shared, chosen, onChoose }: { readonly variable: Variable; readonly shared: Shared; readonly chosen: Chosen[string]; readonly onChoose: (values: readonly string[]) => void }) {
  const [typed, setTyped] = useState('')
  const title = variable.title || variable.name
  const offered = useQuery({
    queryKey: ['variable', variable, shared.range, shared.stamp],
    queryFn: async ({ signal }) => {
      const answer = await api.query({ query: fill(variable.query ?? '', shared.variables, shared.chosen), ...shared.range, max_age: shared.maxAge, limit: 500 }, signal)
      return answer.rows.map((row) => valueText(row[0])).filter((value) => value !== '')
    },
    enabled: typeof variable.query === 'string',
    placeholderData: (previous) => previous,
    staleTime: 60_000,
  })
  const values = [...new Set([...chosen, ...(variable.values ?? []), ...(offered.data ?? [])])]
  const shown = values.filter((value) => value.toLowerCase().includes(typed.toLowerCase())).slice(0, SHOWN)
  const said = chosen.length === 0 ? 'all' : chosen.length === 1 ? chosen[0] ?? '' : `${chosen.length} chosen`
  const toggle = (value: string) => {
    if (variable.multiple) onChoose(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value])
    else onChoose([value])
  }
  return (
    <Popover label={`${title}: ${said}`} text={<span className={styles.text}><span>{title}</span> <b>{said}</b> <ChevronDown aria-hidden /></span>}>
      {(close) => (
        <div className={styles.menu}>
          <input data-autofocus aria-label={`Find a value of ${title}`} placeholder="Find a value" value={typed} onChange={(event) => setTyped(event.target.value)} spellCheck={false} autoComplete="off" />
          {variable.field !== null && variable.field !== undefined && (
            <button type="button" className={styles.all} disabled={chosen.length === 0} onClick={() => { onChoose([]); close() }}>All</button>
          )}
          <ul>
            {shown.map((value) => (
              <li key={value}>
                <label>
                  <input type={variable.multiple ? 'checkbox' : 'radio'} name={`variable-${variable.name}`} checked={chosen.includes(value)} onChange={() => { toggle(value); if (!variable.multiple) close() }} />
                  <span title={value}>{value}</span>
                </label>
              </li>
            ))}
          </ul>
          {shown.length === 0 && <p>{offered.isPending && variable.query ? 'Looking for values…' : offered.isError ? messageOf(offered.error) : 'No such value in this time range.'}</p>}
        </div>
      )}
    </Popover>
  )
}
