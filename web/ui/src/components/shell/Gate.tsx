import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { api } from '@/api/client'
import { Shell } from './Shell'

const SignIn = lazy(() => import('./SignIn'))
const ResetPage = lazy(() => import('@/pages/reset/ResetPage')) // no route: it is for who is not signed in
const SharedPage = lazy(() => import('@/pages/shared/SharedPage'))

/** The pages, or the sign-in while the server asks for one. Where it cannot be asked, the pages say so themselves. */
export function Gate() {
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => api.session(signal), staleTime: Infinity })
  if (location.pathname === '/reset-password') return <Suspense><ResetPage /></Suspense>
  if (location.pathname === '/shared') return <Suspense><SharedPage /></Suspense>
  if (session.isPending) return null
  const closed = session.data !== undefined && session.data.users_exist && session.data.scopes.length === 0
  if (session.data?.user?.must_change_password) return <Suspense><SignIn session={session.data} /></Suspense>
  return closed ? <Suspense><SignIn oidc={session.data.oidc} mailsLinks={session.data.mails_links} /></Suspense> : <Shell user={session.data?.user?.email ?? null} />
}
