import { Link, Outlet } from '@tanstack/react-router'
import styles from './AlertsPage.module.css'

const TABS = [
  { to: '/alerts/incidents', name: 'Incidents' },
  { to: '/alerts/notifications', name: 'Notifications' },
  { to: '/alerts/detectors', name: 'Detectors' },
  { to: '/alerts/silences', name: 'Silences' },
] as const

/** What fires, what was told to whom, and what is watched. */
export default function AlertsPage() {
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1>Alerts</h1>
        <nav className={styles.tabs} aria-label="Alerts">
          {TABS.map(({ to, name }) => (
            <Link key={to} to={to} className={styles.tab} activeProps={{ className: styles.here, 'aria-current': 'page' }}>{name}</Link>
          ))}
        </nav>
      </header>
      <div className={styles.body}><Outlet /></div>
    </div>
  )
}
