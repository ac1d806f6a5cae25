import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useId, useState, type SyntheticEvent } from 'react'
import { dashboards, type Dashboard, type Panel, type PanelKind } from '@/api/dashboards'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { freePlace } from '@/lib/dashboards/grid'
import { splitStages } from '@/lib/query/tokens'
import { withStage } from '@/lib/query/edit'
import { titleOf } from '@/lib/query/title'
import { freeId, nameOf } from '@/pages/dashboards/names'
import styles from './AddToDashboard.module.css'

const NEW = ''

/** Make a panel of the query of the moment, on a dashboard that there is or on a new one. */
export default function AddToDashboard({ query }: { readonly query: string }) {
  const id = useId()
  const client = useQueryClient()
  const made = panelOf(query)
  const [title, setTitle] = useState(made.title)
  const [name, setName] = useState<string | null>(null)
  const found = useQuery({ queryKey: ['dashboards'], queryFn: ({ signal }) => dashboards.list(signal) })
  const own = (found.data ?? []).filter((item) => !item.built_in)
  const target = name ?? own[0]?.name ?? NEW
  const add = useMutation({
    mutationFn: async () => {
      const panel = (into: Dashboard): Panel => ({
        ...made, title, id: freeId(title, (into.panels ?? []).map((one) => one.id)), position: freePlace(into.panels ?? [], made.kind === 'number' ? 3 : 6, made.kind === 'number' ? 3 : 6),
      })
      if (target === NEW) {
        const fresh: Dashboard = { name: freeName(title, found.data ?? []), title: title || 'From Explore', panels: [], variables: [] }
        return dashboards.create({ ...fresh, panels: [panel(fresh)] })
      }
      const { document, etag } = await dashboards.get(target)
      return dashboards.change({ ...document, panels: [...(document.panels ?? []), panel(document)] }, etag)
    },
    onSuccess: (kept) => {
      client.setQueryData(['dashboard', kept.document.name], kept)
      void client.invalidateQueries({ queryKey: ['dashboards'] })
    },
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    add.mutate()
  }
  if (add.data) {
    return <p className={styles.done} role="status">Added to <Link to="/dashboards/$name" params={{ name: add.data.document.name }}>{add.data.document.title}</Link>.</p>
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      <label htmlFor={`${id}title`}>Title of the panel</label>
      <input id={`${id}title`} data-autofocus required maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} />
      <label htmlFor={`${id}target`}>Dashboard</label>
      <select id={`${id}target`} value={target} onChange={(event) => setName(event.target.value)}>
        {own.map((item) => <option key={item.name} value={item.name}>{item.title}</option>)}
        <option value={NEW}>New dashboard</option>
      </select>
      {add.isError && <p className={styles.wrong} role="alert">{messageOf(add.error)}</p>}
      <Button look="primary" type="submit" disabled={add.isPending || found.isPending}>Add</Button>
    </form>
  )
}

const BY_STAGE: Record<string, PanelKind> = { timechart: 'timeseries', top: 'top', rare: 'top', patterns: 'top' }

/** The panel that suits a query: a search counts its events by severity, a timechart is lines, one number is large. */
function panelOf(query: string): Omit<Panel, 'id' | 'position'> {
  const { stages } = splitStages(query)
  const title = titleOf(query)
  if (stages.length === 0) return { title, kind: 'bar', query: withStage(query, 'timechart count() by severity') }
  const names = stages.map((stage) => /^\w*/.exec(stage)?.[0].toLowerCase() ?? '')
  const known = names.findLast((name) => name in BY_STAGE)
  const stats = stages.findLast((stage) => stage.startsWith('stats'))
  const kind = known !== undefined ? BY_STAGE[known] ?? 'table' : stats === undefined ? 'table' : / by /.test(stats) ? 'bar' : 'number'
  return { title, kind, query }
}

function freeName(title: string, taken: readonly { readonly name: string }[]): string {
  const base = nameOf(title).slice(0, 50)
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`
    if (!taken.some((item) => item.name === name)) return name
  }
}
