import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { LayoutDashboard, Plus, Upload } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { dashboards, type DashboardItem, type Tagged } from '@/api/dashboards'
import { Button } from '@/components/ui/Button'
import { Empty, Failure, Loading } from '@/components/ui/States'
import { ago, plural } from '@/lib/format'
import { useHotkeys } from '@/lib/hotkeys'
import styles from './DashboardsPage.module.css'

const NewDashboard = lazy(() => import('./NewDashboard'))
const ImportDashboard = lazy(() => import('./ImportDashboard'))

/** All dashboards, one to open and ways to make another. */
export default function DashboardsPage() {
  const navigate = useNavigate()
  const [open, setOpen] = useState<'new' | 'import' | null>(null)
  const [typed, setTyped] = useState('')
  const found = useQuery({ queryKey: ['dashboards'], queryFn: ({ signal }) => dashboards.list(signal) })
  const list = (found.data ?? []).filter((item) => `${item.title} ${item.name} ${item.description}`.toLowerCase().includes(typed.trim().toLowerCase()))
  const show = ({ document }: Tagged, edit: boolean) => void navigate({ to: '/dashboards/$name', params: { name: document.name }, search: edit ? { edit: '1' } : {} })
  useHotkeys({ '/': () => document.getElementById('find-dashboard')?.focus() })
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1>Dashboards</h1>
        <input id="find-dashboard" className={styles.find} type="search" aria-label="Find a dashboard" placeholder="Find a dashboard" value={typed} onChange={(event) => setTyped(event.target.value)} />
        <Button icon={<Upload />} onClick={() => setOpen('import')}>Import</Button>
        <Button look="primary" icon={<Plus />} onClick={() => setOpen('new')}>New dashboard</Button>
      </header>
      <div className={styles.body}>
        {found.isError ? <Failure error={found.error} onRetry={() => void found.refetch()} />
          : found.isPending ? <Loading />
          : list.length === 0 ? <Empty title="No such dashboard" icon={<LayoutDashboard />}><p>None has these words in its title or description.</p></Empty>
          : <ul className={styles.list}>{list.map((item) => <Item key={item.name} item={item} />)}</ul>}
      </div>
      <Suspense>
        {open === 'new' && <NewDashboard label="New dashboard" from={{ title: '', from: '-1h', panels: [], variables: [] }} onClose={() => setOpen(null)} onDone={(made) => show(made, true)} />}
        {open === 'import' && <ImportDashboard onClose={() => setOpen(null)} onDone={(made) => show(made, false)} />}
      </Suspense>
    </div>
  )
}

function Item({ item }: { readonly item: DashboardItem }) {
  return (
    <li>
      <Link to="/dashboards/$name" params={{ name: item.name }} className={styles.item}>
        <span className={styles.icon}><LayoutDashboard aria-hidden /></span>
        <span className={styles.words}>
          <b>{item.title}</b>
          {item.description && <span>{item.description}</span>}
        </span>
        <span className={styles.facts}>
          <span>{plural(item.panels, 'panel')}</span>
          <span>{item.built_in ? 'built in' : `changed ${ago(item.updated_at)} by ${item.updated_by ?? ''}`}</span>
        </span>
      </Link>
    </li>
  )
}
