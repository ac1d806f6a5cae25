import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { ChevronLeft, Copy, Download, Ellipsis, LayoutDashboard, Maximize, Pencil, Plus, RefreshCw, Settings2, Share2, Trash2 } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { ApiError, type Place } from '@/api/problem'
import { dashboards, isBuiltIn, type Dashboard, type Panel, type Tagged } from '@/api/dashboards'
import { TimePicker } from '@/components/time/TimePicker'
import { Button } from '@/components/ui/Button'
import { CopyButton } from '@/components/ui/CopyButton'
import { Modal } from '@/components/ui/Modal'
import { Popover } from '@/components/ui/Popover'
import { Empty, Failure, Loading } from '@/components/ui/States'
import { compacted, freePlace } from '@/lib/dashboards/grid'
import { useHotkeys } from '@/lib/hotkeys'
import { stringifySearch } from '@/lib/url'
import { Grid } from './Grid'
import { freeId } from './names'
import { REFRESHES } from './refreshes'
import { Refused } from './Refused'
import { useDashboard, useShared } from './useDashboard'
import { VariablesBar } from './VariablesBar'
import styles from './DashboardPage.module.css'

const PanelEditor = lazy(() => import('./PanelEditor'))
const SettingsEditor = lazy(() => import('./SettingsEditor'))
const ShareDialog = lazy(() => import('@/components/share/ShareDialog'))
const NewDashboard = lazy(() => import('./NewDashboard'))

/** One dashboard: its panels, and while it is edited the ways to change them. */
export default function DashboardPage() {
  const state = useDashboard()
  const { found, document } = state
  if (document && found.data) return <Shown state={state} document={document} stored={found.data} />
  if (found.isError) {
    return found.error instanceof ApiError && found.error.status === 404
      ? <Empty title={`There is no dashboard ${state.name}`} icon={<LayoutDashboard />}><p>It may have been deleted, or the address is mistyped.</p><Link to="/dashboards">All dashboards</Link></Empty>
      : <Failure error={found.error} onRetry={() => void found.refetch()} />
  }
  return <Loading rows={12} />
}

type Open = 'settings' | 'copy' | 'share' | 'delete' | { panel: Panel; isNew: boolean } | null

function Shown({ state, document, stored }: { readonly state: ReturnType<typeof useDashboard>; readonly document: Dashboard; readonly stored: Tagged }) {
  const { search, editing, isChanged, setDraft, save } = state
  const navigate = useNavigate()
  const page = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState<Open>(null)
  const shared = useShared(document, search)
  const panels = document.panels ?? []
  const full = panels.some((panel) => panel.id === search['panel']) ? search['panel'] : undefined
  const builtIn = isBuiltIn(stored)

  const put = (part: Partial<Dashboard>) => setDraft({ ...document, ...part })
  const putPanels = (next: Panel[]) => put({ panels: next })
  const leave = () => {
    setDraft(null)
    save.reset()
    shared.change({ edit: undefined }, true)
  }
  const add = () => {
    const id = freeId('panel', panels.map((panel) => panel.id))
    setOpen({ isNew: true, panel: { id, title: 'New panel', kind: 'timeseries', query: '| timechart count() by service', position: freePlace(panels, 6, 6) } })
  }
  const copy = (id: string) => {
    const panel = panels.find((one) => one.id === id)
    if (panel) putPanels([...panels, { ...panel, id: freeId(panel.id, panels.map((one) => one.id)), position: freePlace(panels, panel.position.w, panel.position.h) }])
  }
  const done = (panel: Panel) => {
    putPanels(panels.some((one) => one.id === panel.id) ? panels.map((one) => (one.id === panel.id ? panel : one)) : [...panels, panel])
    save.reset()
    setOpen(null)
  }
  const store = (overwrite: boolean) => {
    if (isChanged || overwrite) save.mutate(overwrite, { onSuccess: () => shared.change({ edit: undefined }, true) })
    else leave()
  }
  const changedElsewhere = save.error instanceof ApiError && save.error.status === 412
  const mistakeOf = (id: string): Place | null => {
    const at = panels.findIndex((panel) => panel.id === id)
    return save.error instanceof ApiError ? save.error.places.find((place) => place.pointer === `/panels/${at}/query`) ?? null : null
  }
  const setFull = (id: string | undefined) => shared.change({ panel: id })
  useHotkeys({
    Escape: () => full !== undefined && setFull(undefined),
    r: shared.again,
    e: () => { if (!builtIn && !editing) shared.change({ edit: '1' }, true) },
    f: () => void page.current?.requestFullscreen(),
  })

  return (
    <div ref={page} className={styles.page}>
      <header className={styles.head}>
        <div className={styles.title}>
          <Link to="/dashboards" className={styles.up} aria-label="All dashboards" title="All dashboards"><ChevronLeft aria-hidden /></Link>
          <h1>{document.title}</h1>
          {builtIn && <span className={styles.tag}>built in</span>}
          {editing && <span className={styles.tag}>{isChanged ? 'not saved' : 'editing'}</span>}
        </div>
        <div className={styles.controls}>
          <VariablesBar shared={shared.shared} onChoose={shared.choose} />
          <TimePicker range={shared.range} utc={shared.utc} onChange={shared.setRange} onBack={shared.back} onZoomOut={shared.zoomOut} onZone={shared.zone} />
          <div className={styles.refresh} role="group" aria-label="Refresh">
            <Button icon={<RefreshCw />} aria-label="Refresh now" title="Refresh now (r)" onClick={shared.again} />
            <select aria-label="Refresh by itself" value={shared.refresh.text} onChange={(event) => shared.change({ refresh: event.target.value }, true)}>
              {REFRESHES.some((one) => one.text === shared.refresh.text) || <option value={shared.refresh.text}>{shared.refresh.text}</option>}
              {REFRESHES.map((one) => <option key={one.text} value={one.text}>{one.label}</option>)}
            </select>
          </div>
          {editing ? (
            <>
              <Button icon={<Plus />} onClick={add}>Add panel</Button>
              <Button icon={<Settings2 />} aria-label="Settings" title="Settings" onClick={() => setOpen('settings')} />
              <Button onClick={leave}>Cancel</Button>
              <Button look="primary" disabled={save.isPending} onClick={() => store(false)}>Save</Button>
            </>
          ) : (
            <>
              {builtIn
                ? <Button icon={<Copy />} onClick={() => setOpen('copy')}>Copy to edit</Button>
                : <Button icon={<Pencil />} title="Edit (e)" onClick={() => shared.change({ edit: '1' }, true)}>Edit</Button>}
              <Button icon={<Maximize />} aria-label="Full screen" title="Full screen (f)" onClick={() => void page.current?.requestFullscreen()} />
              <Popover label="More" icon={<Ellipsis />} align="end">
                {(close) => (
                  <div className={styles.menu}>
                    <CopyButton text={() => location.origin + location.pathname + stringifySearch({ ...search, from: shared.shared.range.from ?? 'all', to: shared.shared.range.to })} label="Copy a link with this time range fixed">Copy link</CopyButton>
                    <Button look="quiet" icon={<Share2 />} onClick={() => { setOpen('share'); close() }}>Share by a link</Button>
                    <Button look="quiet" icon={<Download />} onClick={() => { saveFile(stored.document); close() }}>Export as JSON</Button>
                    <Button look="quiet" icon={<Copy />} onClick={() => { setOpen('copy'); close() }}>Make a copy</Button>
                    {!builtIn && <Button look="quiet" className={styles.bad} icon={<Trash2 />} onClick={() => { setOpen('delete'); close() }}>Delete</Button>}
                  </div>
                )}
              </Popover>
            </>
          )}
        </div>
      </header>
      {save.isError && (
        <div className={styles.refused}>
          <Refused error={save.error} document={document} />
          {changedElsewhere && <Button onClick={() => store(true)}>Overwrite it</Button>}
        </div>
      )}
      <div className={styles.body}>
        {document.description && full === undefined && <p className={styles.about}>{document.description}</p>}
        {panels.length === 0 ? (
          <Empty title="No panels yet" icon={<LayoutDashboard />}>
            <p>A panel is a query and a way to show its rows. Add one here, or from Explore with “Add to dashboard”.</p>
            <Button look="primary" icon={<Plus />} onClick={() => { shared.change({ edit: '1' }, true); add() }}>Add a panel</Button>
          </Empty>
        ) : (
          <Grid
            panels={panels} shared={shared.shared} full={full} onFull={setFull} onRange={shared.setRange}
            editing={editing ? {
              onPanels: putPanels,
              onEdit: (id) => { const panel = panels.find((one) => one.id === id); if (panel) setOpen({ panel, isNew: false }) },
              onCopy: copy,
              onRemove: (id) => putPanels(compacted(panels.filter((panel) => panel.id !== id))),
            } : null}
          />
        )}
      </div>
      <Suspense>
        {open === 'share' && <ShareDialog title={document.title} subject={{ dashboard: document.name }} onClose={() => setOpen(null)} />}
        {open === 'settings' && <SettingsEditor document={document} onClose={() => setOpen(null)} onDone={(next) => { put(next); setOpen(null) }} />}
        {open === 'copy' && (
          <NewDashboard label="Copy this dashboard" from={{ ...stored.document, title: `${stored.document.title} (copy)` }} onClose={() => setOpen(null)}
            onDone={(made) => { setOpen(null); void navigate({ to: '/dashboards/$name', params: { name: made.document.name }, search: { edit: '1' } }) }} />
        )}
        {open === 'delete' && <Delete document={stored.document} onClose={() => setOpen(null)} />}
        {typeof open === 'object' && open !== null && (
          <PanelEditor key={open.panel.id} panel={open.panel} shared={shared.shared} mistake={mistakeOf(open.panel.id)} onClose={() => setOpen(null)} onDone={done} />
        )}
      </Suspense>
    </div>
  )
}

function Delete({ document, onClose }: { readonly document: Dashboard; readonly onClose: () => void }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const remove = useMutation({
    mutationFn: () => dashboards.remove(document.name),
    onSuccess: () => {
      client.removeQueries({ queryKey: ['dashboard', document.name] })
      void client.invalidateQueries({ queryKey: ['dashboards'] })
      void navigate({ to: '/dashboards' })
    },
  })
  return (
    <Modal label="Delete the dashboard" onClose={onClose}>
      <div className={styles.ask}>
        <h2>Delete {document.title}?</h2>
        <p>Its {document.panels?.length ?? 0} panels go for good; the events stay. Export it before, to have it again.</p>
        {remove.isError && <Refused error={remove.error} document={document} />}
        <div>
          <Button onClick={onClose} data-autofocus>Keep it</Button>
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>Delete</Button>
        </div>
      </div>
    </Modal>
  )
}

/** The document as a file; what is imported elsewhere is the same. */
function saveFile(document: Dashboard): void {
  const link = window.document.createElement('a')
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify(document, null, 2)}\n`], { type: 'application/json' }))
  link.download = `${document.name}.json`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
