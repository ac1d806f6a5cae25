import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { messageOf } from '@/api/problem'
import { shares, type Share } from '@/api/shares'
import { Button } from '@/components/ui/Button'
import { Table, type Column } from '@/components/ui/Table'
import { Loaded, Section, When } from './parts'
import styles from './settings.module.css'

const isOver = (share: Share): boolean => share.revoked_at !== null || Date.parse(share.expires_at) < Date.now()

/** What others see without signing in, and until when. */
export default function Shares() {
  const client = useQueryClient()
  const found = useQuery({ queryKey: ['shares'], queryFn: ({ signal }) => shares.list(signal) })
  const revoke = useMutation({ mutationFn: (share: Share) => shares.revoke(share.id), onSettled: () => client.invalidateQueries({ queryKey: ['shares'] }) })
  const columns: Column<Share>[] = [
    { name: 'Title', cell: (share) => <span className={isOver(share) ? styles.off : undefined}>{share.title}</span> },
    { name: 'Shows', cell: (share) => (share.dashboard === null ? <code className={styles.query}>{share.query || 'all events'}</code> : <>the dashboard {share.dashboard}</>) },
    { name: 'By', cell: (share) => share.created_by },
    { name: 'Created', cell: (share) => <When time={share.created_at} /> },
    { name: 'Opened', cell: (share) => <When time={share.opened_at} /> },
    { name: 'Expires', cell: (share) => (share.revoked_at ? <span className={styles.off}>revoked</span> : <When time={share.expires_at} />) },
    { name: 'Actions', align: 'actions', cell: (share) => !isOver(share) && <Button look="quiet" aria-label={`Revoke ${share.title}`} disabled={revoke.isPending} onClick={() => revoke.mutate(share)}>Revoke</Button> },
  ]
  return (
    <Section label="Shared links" lead="Whoever has such a link sees a query or a dashboard without signing in, with the rights that its maker has at that moment. Explore makes them under Export, dashboards under More.">
      {revoke.isError && <p role="alert" className={styles.bad}>{messageOf(revoke.error)}</p>}
      <Loaded query={found}>{(rows) => (rows.length > 0 ? <Table label="Shared links" columns={columns} rows={rows} id={(share) => share.id} /> : <p className={styles.dim}>Nothing is shared.</p>)}</Loaded>
    </Section>
  )
}
