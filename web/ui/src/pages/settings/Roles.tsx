import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { admin, type RoleDetail } from '@/api/admin'
import { messageOf } from '@/api/problem'
import { QueryText } from '@/components/query/QueryText'
import { Button } from '@/components/ui/Button'
import { Table, type Column } from '@/components/ui/Table'
import { Loaded, Section } from './parts'
import { RoleEditor } from './RoleEditor'
import { RoleMembers } from './RoleMembers'
import styles from './settings.module.css'

/** What is open below the list: a new role, one that is changed, or who has one. */
type Open = { readonly what: 'new' } | { readonly what: 'change' | 'members'; readonly name: string } | null

const NEW: RoleDetail = { name: '', permissions: ['query'], search: '', masks: [], built_in: false }

/** Who may do what and who sees what: the built-in roles, and those of the project. */
export default function Roles() {
  const client = useQueryClient()
  const [open, setOpen] = useState<Open>(null)
  const roles = useQuery({ queryKey: ['roles'], queryFn: ({ signal }) => admin.roles(signal) })
  const users = useQuery({ queryKey: ['users'], queryFn: ({ signal }) => admin.users(signal) })
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => admin.session(signal), staleTime: Infinity })
  const again = () => client.invalidateQueries({ queryKey: ['roles'] })
  const remove = useMutation({
    mutationFn: (name: string) => admin.deleteRole(name),
    onSuccess: () => setOpen(null),
    onSettled: again,
  })
  const changed = open?.what === 'change' ? open.name : ''
  const role = useQuery({ queryKey: ['role', changed], queryFn: ({ signal }) => admin.role(changed, signal), enabled: changed !== '', gcTime: 0 })
  const own = users.data?.filter((user) => user.project === (session.data?.project ?? user.project))
  const having = (name: string) => own?.filter((user) => user.role === name).length ?? 0
  const saved = () => {
    setOpen(null)
    void again()
  }
  const columns: Column<RoleDetail>[] = [
    { name: 'Role', cell: ({ name, built_in }) => <>{name}{built_in && <span className={styles.off}> built in</span>}</> },
    { name: 'Permissions', cell: ({ permissions }) => permissions.join(', ') || <span className={styles.off}>nothing</span> },
    { name: 'Sees', cell: ({ search }) => (search.trim() ? <QueryText text={search} className={styles.query} /> : 'all events') },
    { name: 'Masked', cell: ({ masks }) => masks.map(({ field, how }) => `${field} (${how})`).join(', ') || <span className={styles.off}>nothing</span> },
    { name: 'Accounts', align: 'right', cell: ({ name }) => <Button look="quiet" aria-label={`Who has ${name}: ${having(name)}`} onClick={() => setOpen({ what: 'members', name })}>{String(having(name))}</Button> },
    {
      name: 'Actions',
      align: 'actions',
      cell: ({ name, built_in }) => !built_in && (
        <>
          <Button look="quiet" aria-label={`Change ${name}`} onClick={() => setOpen({ what: 'change', name })}>Change</Button>
          <Button look="quiet" aria-label={`Delete ${name}`} disabled={remove.isPending} onClick={() => remove.mutate(name)}>Delete</Button>
        </>
      ),
    },
  ]
  return (
    <Section label="Roles" lead="A role says what its accounts may do, which events they see, and which fields are masked for them. A change counts at once.">
      <div><Button look="primary" onClick={() => setOpen({ what: 'new' })}>New role</Button></div>
      {remove.isError && <p role="alert" className={styles.bad}>{messageOf(remove.error)}</p>}
      <Loaded query={roles}>{(rows) => <Table label="Roles" columns={columns} rows={rows} id={({ name }) => name} />}</Loaded>
      {open?.what === 'new' && <RoleEditor role={NEW} etag={null} onSaved={saved} onClose={() => setOpen(null)} />}
      {open?.what === 'change' && <Loaded query={role}>{(found) => <RoleEditor key={open.name} role={found.role} etag={found.etag} onSaved={saved} onClose={() => setOpen(null)} />}</Loaded>}
      {open?.what === 'members' && <RoleMembers key={open.name} role={open.name} users={own ?? []} onClose={() => setOpen(null)} />}
    </Section>
  )
}
