import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { admin } from '@/api/admin'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import { Table } from '@/components/ui/Table'
import { bytes, count } from '@/lib/format'
import { Loaded, Section, When } from './parts'
import styles from './settings.module.css'

/** The tenants: each with its own events, accounts and tokens. */
export function Projects() {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const projects = useQuery({ queryKey: ['projects'], queryFn: ({ signal }) => admin.projects(signal) })
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => admin.session(signal), staleTime: Infinity })
  const create = useMutation({
    mutationFn: () => admin.createProject(name),
    onSuccess: async () => {
      setName('')
      await client.invalidateQueries({ queryKey: ['projects'] })
    },
  })
  return (
    <Section label="Projects" lead="Events, accounts, tokens, lookups and limits of each project are its own. What is sent with a token is stored in the token's project.">
      <Loaded query={projects}>
        {(rows) => (
          <Table
            label="Projects"
            rows={rows}
            id={(project) => project.name}
            columns={[
              { name: 'Name', cell: (project) => project.name },
              { name: 'Created', cell: (project) => <When time={project.created_at} /> },
              { name: 'Events', align: 'right', cell: (project) => count(project.events) },
              { name: 'Stored', align: 'right', cell: (project) => bytes(project.bytes) },
            ]}
          />
        )}
      </Loaded>
      {session.data?.permissions.includes('admin') && (
        <div className={styles.panel}>
          <Form label="Create a project" error={create.error} onSubmit={() => create.mutate()}>
            <Field label="Name" grow><input required maxLength={63} pattern="[a-z0-9][a-z0-9_\-]*" title="a-z, 0-9, _ and -" value={name} onChange={(event) => setName(event.target.value)} /></Field>
            <Button type="submit" look="primary" disabled={create.isPending}>Create a project</Button>
          </Form>
        </div>
      )}
    </Section>
  )
}
