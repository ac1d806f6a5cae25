import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef, type ComponentType } from 'react'
import { Empty, Loading } from '@/components/ui/States'
import tabs from '@/components/ui/Tabs.module.css'
import { Account } from './Account'
import { Audit } from './Audit'
import { Lookups } from './Lookups'
import { Members } from './Members'
import { Notifiers } from './Notifiers'
import { Plugins } from './Plugins'
import { Projects } from './Projects'
import { Retention } from './Retention'
import { System } from './System'
import { Tokens } from './Tokens'

const Recordings = lazy(() => import('./Recordings')) // it brings charts
const Roles = lazy(() => import('./Roles')) // it brings the query box
const Shares = lazy(() => import('./Shares'))
const ServiceAccounts = lazy(() => import('./ServiceAccounts'))

const SECTIONS: Readonly<Record<string, { readonly name: string; readonly view: ComponentType }>> = {
  system: { name: 'System', view: System },
  account: { name: 'Your account', view: Account },
  projects: { name: 'Projects', view: Projects },
  members: { name: 'Members', view: Members },
  roles: { name: 'Roles', view: Roles },
  'service-accounts': { name: 'Service accounts', view: ServiceAccounts },
  tokens: { name: 'API tokens', view: Tokens },
  shares: { name: 'Shared links', view: Shares },
  notifiers: { name: 'Notifiers', view: Notifiers },
  lookups: { name: 'Lookups', view: Lookups },
  recordings: { name: 'Recordings', view: Recordings },
  retention: { name: 'Retention', view: Retention },
  audit: { name: 'Audit log', view: Audit },
  plugins: { name: 'Plugins', view: Plugins },
}

/** Who may do what, who is told, what is kept, what runs. */
export default function SettingsPage() {
  const { section } = useParams({ strict: false })
  const here = useRef<HTMLAnchorElement>(null)
  useEffect(() => {
    here.current?.scrollIntoView({ block: 'nearest', inline: 'center' }) // what it returns is no clean-up
  }, [section])
  const View = SECTIONS[section ?? '']?.view
  return (
    <div className={tabs.page}>
      <header className={tabs.head}>
        <h1>Settings</h1>
        <nav className={tabs.tabs} aria-label="Settings">
          {Object.entries(SECTIONS).map(([key, { name }]) => (
            <Link key={key} ref={key === section ? here : null} to="/settings/$section" params={{ section: key }} className={tabs.tab} activeProps={{ className: tabs.here, 'aria-current': 'page' }}>{name}</Link>
          ))}
        </nav>
      </header>
      <div className={tabs.body}>{View ? <Suspense fallback={<Loading />}><View /></Suspense> : <Empty title="No such setting"><p>Choose one above.</p></Empty>}</div>
    </div>
  )
}
