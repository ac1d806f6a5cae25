import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef, type ComponentType } from 'react'
import { Empty, Loading } from '@/components/ui/States'
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
import styles from './SettingsPage.module.css'

const Recordings = lazy(() => import('./Recordings')) // it brings charts
const Roles = lazy(() => import('./Roles')) // it brings the query box
const Shares = lazy(() => import('./Shares'))
const ServiceAccounts = lazy(() => import('./ServiceAccounts'))

interface SectionEntry { readonly name: string; readonly view: ComponentType }

const GROUPS: readonly { readonly name: string; readonly sections: Readonly<Record<string, SectionEntry>> }[] = [
  { name: 'Node', sections: { system: { name: 'System', view: System }, plugins: { name: 'Plugins', view: Plugins } } },
  {
    name: 'People', sections: {
      account: { name: 'Your account', view: Account },
      projects: { name: 'Projects', view: Projects },
      members: { name: 'Members', view: Members },
      roles: { name: 'Roles', view: Roles },
    },
  },
  {
    name: 'Access', sections: {
      'service-accounts': { name: 'Service accounts', view: ServiceAccounts },
      tokens: { name: 'API tokens', view: Tokens },
      shares: { name: 'Shared links', view: Shares },
      audit: { name: 'Audit log', view: Audit },
    },
  },
  {
    name: 'Data', sections: {
      retention: { name: 'Retention', view: Retention },
      recordings: { name: 'Recordings', view: Recordings },
      lookups: { name: 'Lookups', view: Lookups },
      notifiers: { name: 'Notifiers', view: Notifiers },
    },
  },
]

/** Who may do what, who is told, what is kept, what runs. */
export default function SettingsPage() {
  const { section } = useParams({ strict: false })
  const here = useRef<HTMLAnchorElement>(null)
  useEffect(() => {
    here.current?.scrollIntoView({ block: 'nearest', inline: 'center' }) // what it returns is no clean-up
  }, [section])
  const found = GROUPS.flatMap(({ sections }) => sections[section ?? ''] ?? [])[0]
  const View = found?.view
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1>Settings</h1>
        <nav className={styles.nav} aria-label="Settings">
          {GROUPS.map(({ name, sections }) => (
            <div key={name} className={styles.group}>
              <span className={styles.groupName}>{name}</span>
              {Object.entries(sections).map(([key, entry]) => (
                <Link key={key} ref={key === section ? here : null} to="/settings/$section" params={{ section: key }} className={styles.link} activeProps={{ className: styles.here, 'aria-current': 'page' }}>{entry.name}</Link>
              ))}
            </div>
          ))}
        </nav>
      </header>
      <div className={styles.body}>
        {View ? <><h2 className={styles.title}>{found.name}</h2><Suspense fallback={<Loading />}><View /></Suspense></> : <Empty title="No such setting"><p>Choose one of the list.</p></Empty>}
      </div>
    </div>
  )
}
