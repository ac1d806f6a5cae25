import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { Gate } from '@/components/shell/Gate'
import { Empty, Failure, Loading } from '@/components/ui/States'
import { detectorsSearch, exploreSearch, incidentsSearch, parseSearch, stringifySearch, tailSearch, textSearch } from '@/lib/url'

const root = createRootRoute({
  component: Gate,
  errorComponent: ({ error }) => <Failure error={error} onRetry={() => location.reload()} />,
  notFoundComponent: () => <Empty title="No such page"><p>The address may be mistyped. The navigation leads to every page.</p></Empty>,
})

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/explore', replace: true })
  },
})

export const exploreRoute = createRoute({
  getParentRoute: () => root,
  path: '/explore',
  validateSearch: exploreSearch,
  component: lazyRouteComponent(() => import('./pages/explore/ExplorePage')),
})

export const tailRoute = createRoute({
  getParentRoute: () => root,
  path: '/tail',
  validateSearch: tailSearch,
  component: lazyRouteComponent(() => import('./pages/tail/TailPage')),
})

const patterns = createRoute({
  getParentRoute: () => root,
  path: '/patterns',
  validateSearch: textSearch,
  component: lazyRouteComponent(() => import('./pages/patterns/PatternsPage')),
})

const dashboards = createRoute({
  getParentRoute: () => root,
  path: '/dashboards',
  component: lazyRouteComponent(() => import('./pages/dashboards/DashboardsPage')),
})

const dashboard = createRoute({
  getParentRoute: () => root,
  path: '/dashboards/$name',
  validateSearch: textSearch,
  component: lazyRouteComponent(() => import('./pages/dashboards/DashboardPage')),
})

const reports = createRoute({
  getParentRoute: () => root,
  path: '/reports',
  validateSearch: textSearch,
  component: lazyRouteComponent(() => import('./pages/reports/ReportsPage')),
})

const alerts = createRoute({
  getParentRoute: () => root,
  path: '/alerts',
  component: lazyRouteComponent(() => import('./pages/alerts/AlertsPage')),
})

const alertsHome = createRoute({
  getParentRoute: () => alerts,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/alerts/incidents', replace: true })
  },
})

export const incidentsRoute = createRoute({
  getParentRoute: () => alerts,
  path: '/incidents',
  validateSearch: incidentsSearch,
  component: lazyRouteComponent(() => import('./pages/alerts/IncidentsView')),
})

export const incidentRoute = createRoute({
  getParentRoute: () => root,
  path: '/alerts/incidents/$id',
  component: lazyRouteComponent(() => import('./pages/alerts/IncidentPage')),
})

const notifications = createRoute({
  getParentRoute: () => alerts,
  path: '/notifications',
  component: lazyRouteComponent(() => import('./pages/alerts/NotificationsView')),
})

export const detectorsRoute = createRoute({
  getParentRoute: () => alerts,
  path: '/detectors',
  validateSearch: detectorsSearch,
  component: lazyRouteComponent(() => import('./pages/alerts/DetectorsView')),
})

const silences = createRoute({
  getParentRoute: () => alerts,
  path: '/silences',
  component: lazyRouteComponent(() => import('./pages/alerts/SilencesView')),
})

const settingsHome = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  beforeLoad: () => {
    throw redirect({ to: '/settings/$section', params: { section: 'system' }, replace: true })
  },
})

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings/$section',
  component: lazyRouteComponent(() => import('./pages/settings/SettingsPage')),
})

const pipelines = createRoute({
  getParentRoute: () => root,
  path: '/pipelines',
  component: lazyRouteComponent(() => import('./pages/pipelines/PipelinesPage')),
})

const start = createRoute({
  getParentRoute: () => root,
  path: '/start',
  component: lazyRouteComponent(() => import('./pages/start/StartPage')),
})

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    exploreRoute,
    tailRoute,
    patterns,
    dashboards,
    dashboard,
    reports,
    incidentRoute,
    alerts.addChildren([alertsHome, incidentsRoute, notifications, detectorsRoute, silences]),
    pipelines,
    settingsHome,
    settings,
    start,
  ]),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading rows={12} />,
  defaultPendingMs: 150,
  scrollRestoration: false,
})

declare module '@tanstack/react-router' {
  interface Register { router: typeof router }
}
