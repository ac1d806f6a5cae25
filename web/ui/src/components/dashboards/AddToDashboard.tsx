import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useId, useState, type SyntheticEvent } from 'react'
import { dashboards, type Dashboard, type Panel } from '@/api/dashboards'
import { messageOf } from '@/api/problem'
import { QueryText } from '@/components/query/QueryText'
import { Button } from '@/components/ui/Button'
import { freePlace } from '@/lib/dashboards/grid'
import { panelOf } from '@/lib/dashboards/panel'
import { freeId, nameOf } from '@/pages/dashboards/names'
import styles from './AddToDashboard.module.css'

const NEW = ''

/** Make a panel of the query, which it shows, on a dashboard that there is or on a new one. */
export default function AddToDashboard({ query }: { readonly query: string }) {
  const id = useId()
  const client = useQueryClient()
  const made = panelOf(query)
  const [title, setTitle] = useState(made.title)
  const [called, setCalled] = useState<string | null>(null)
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
        const own = called ?? title
        const fresh: Dashboard = { name: freeName(own, found.data ?? []), title: own, refresh: '30s', panels: [], variables: [] }
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
      <QueryText text={made.query ?? ''} className={styles.query} />
      <label htmlFor={`${id}title`}>Title of the panel</label>
      <input id={`${id}title`} data-autofocus required maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} />
      <label htmlFor={`${id}target`}>Dashboard</label>
      <select id={`${id}target`} value={target} onChange={(event) => setName(event.target.value)}>
        {own.map((item) => <option key={item.name} value={item.name}>{item.title}</option>)}
        <option value={NEW}>New dashboard</option>
      </select>
      {target === NEW && (
        <>
          <label htmlFor={`${id}called`}>Title of the new dashboard</label>
          <input id={`${id}called`} required maxLength={200} value={called ?? title} onChange={(event) => setCalled(event.target.value)} />
        </>
      )}
      {add.isError && <p className={styles.wrong} role="alert">{messageOf(add.error)}</p>}
      <Button look="primary" type="submit" disabled={add.isPending || found.isPending}>Add</Button>
    </form>
  )
}

function freeName(title: string, taken: readonly { readonly name: string }[]): string {
  const base = nameOf(title).slice(0, 50)
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`
    if (!taken.some((item) => item.name === name)) return name
  }
}
