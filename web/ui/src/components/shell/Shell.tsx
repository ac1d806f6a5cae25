import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import {
  BellRing,
  Command,
  FileText,
  GitFork,
  HelpCircle,
  LayoutDashboard,
  LogOut,
  Monitor,
  Moon,
  Radio,
  ScrollText,
  Settings2,
  Shapes,
  Sun,
} from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { api } from '@/api/client'
import { cx } from '@/lib/cx'
import { useHotkeys } from '@/lib/hotkeys'
import { applyTheme, themePreference, usePreference, type Theme } from '@/lib/prefs'
import { Logo } from './Logo'
import styles from './Shell.module.css'

const loadPalette = () => import('./Palette')
const Palette = lazy(loadPalette)
const Help = lazy(() => import('./Help'))
const Bell = lazy(() => import('./Bell'))

const PAGES = [
  { to: '/explore', name: 'Explore', icon: ScrollText },
  { to: '/tail', name: 'Tail', icon: Radio },
  { to: '/patterns', name: 'Patterns', icon: Shapes },
  { to: '/dashboards', name: 'Boards', icon: LayoutDashboard },
  { to: '/alerts', name: 'Alerts', icon: BellRing },
  { to: '/reports', name: 'Reports', icon: FileText },
  { to: '/pipelines', name: 'Pipelines', icon: GitFork },
  { to: '/settings', name: 'Settings', icon: Settings2 },
] as const

const NEXT_THEME: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const THEME_ICON = { system: Monitor, light: Sun, dark: Moon }

/** The frame of every page: navigation, theme, help, and the way to go anywhere. */
export function Shell({ user }: { readonly user: string | null }) {
  const client = useQueryClient()
  const [open, setOpen] = useState<'palette' | 'help' | null>(null)
  const theme = usePreference(themePreference)
  const navigate = useNavigate()
  const path = useLocation({ select: (location) => location.pathname })
  const ThemeIcon = THEME_ICON[theme]
  const turnTheme = () => {
    themePreference.set(NEXT_THEME[theme])
    applyTheme(NEXT_THEME[theme])
  }
  const [idle, setIdle] = useState(false)
  // Fetched once the page is idle: whoever presses Ctrl-K types on at once.
  useEffect(() => {
    const timer = setTimeout(() => {
      setIdle(true)
      void loadPalette()
    }, 1500)
    return () => clearTimeout(timer)
  }, [])
  const leave = async () => {
    await api.signOut()
    await client.invalidateQueries({ queryKey: ['session'] })
  }
  useHotkeys({
    'mod+k': () => setOpen(open === 'palette' ? null : 'palette'),
    '?': () => setOpen('help'),
    '/': () => void navigate({ to: '/explore' }), // pages with a box of their own take the key first
  }, 'app')

  return (
    <div className={styles.shell}>
      <a href="#main" className={styles.skip}>Skip to the page</a>
      <nav className={styles.rail} aria-label="Main">
        <Link to="/explore" className={styles.brand} aria-label="Cordwood"><Logo /></Link>
        <ul className={styles.pages}>
          {PAGES.map(({ to, name, icon: Icon }) => (
            <li key={to}>
              <Link to={to} className={cx(styles.item, path.startsWith(to) && styles.here)} aria-current={path.startsWith(to) ? 'page' : undefined}>
                <Icon aria-hidden />
                <span>{name}</span>
              </Link>
            </li>
          ))}
        </ul>
        <div className={styles.foot}>
          {idle && <Suspense><Bell /></Suspense>}
          <button type="button" className={styles.item} onClick={() => setOpen('palette')} title="Go anywhere (Ctrl K)" aria-label="Go anywhere"><Command aria-hidden /></button>
          <button type="button" className={styles.item} onClick={turnTheme} title={`Theme: ${theme}`} aria-label={`Theme: ${theme}. Change`}><ThemeIcon aria-hidden /></button>
          <button type="button" className={styles.item} onClick={() => setOpen('help')} title="Help (?)" aria-label="Help"><HelpCircle aria-hidden /></button>
          {user && <button type="button" className={styles.item} onClick={() => void leave()} title={`Sign out ${user}`} aria-label={`Sign out ${user}`}><LogOut aria-hidden /></button>}
        </div>
      </nav>
      <main id="main" className={styles.main} tabIndex={-1}><Outlet /></main>
      <Suspense>
        {open === 'palette' && <Palette onClose={() => setOpen(null)} onHelp={() => setOpen('help')} />}
        {open === 'help' && <Help onClose={() => setOpen(null)} />}
      </Suspense>
    </div>
  )
}
