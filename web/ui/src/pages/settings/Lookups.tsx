import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { admin, uploadLookup, type Lookup } from '@/api/admin'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import { Table } from '@/components/ui/Table'
import { bytes, count } from '@/lib/format'
import { Loaded, Section, When } from './parts'
import styles from './settings.module.css'

/** Tables that queries look values up in. */
export function Lookups() {
  const client = useQueryClient()
  const file = useRef<HTMLInputElement>(null)
  const [name, setName] = useState('')
  const lookups = useQuery({ queryKey: ['lookups'], queryFn: ({ signal }) => admin.lookups(signal) })
  const again = () => client.invalidateQueries({ queryKey: ['lookups'] })
  const upload = useMutation({
    mutationFn: async () => {
      const chosen = file.current?.files?.[0]
      if (!chosen) throw new Error('Choose a file first.')
      return uploadLookup(name, chosen)
    },
    onSuccess: async () => {
      setName('')
      if (file.current) file.current.value = ''
      await again()
    },
  })
  const remove = useMutation({ mutationFn: (table: Lookup) => admin.deleteLookup(table.name), onSettled: again })
  return (
    <Section label="Lookups" lead={<>Tables for <code>| lookup NAME on FIELD</code> and <code>x in NAME</code> in queries. A file put under a name again is a new version.</>}>
      <div className={styles.panel}>
        <Form label="Upload a table" error={upload.error} onSubmit={() => upload.mutate()}>
          <Field label="Name"><input required maxLength={100} pattern="[A-Za-z_][A-Za-z0-9_]*" title="letters, digits and _" value={name} placeholder="owners" onChange={(event) => setName(event.target.value)} /></Field>
          <Field label="CSV with a header, or Parquet" grow><input ref={file} type="file" required accept=".csv,.parquet" /></Field>
          <Button type="submit" look="primary" disabled={upload.isPending}>Upload</Button>
        </Form>
      </div>
      {remove.isError && <p role="alert" className={styles.bad}>{messageOf(remove.error)}</p>}
      <Loaded query={lookups}>
        {(rows) => rows.length === 0 ? <p className={styles.dim}>No tables yet. Upload one above: a first column to look up by, such as the service, and what belongs to each.</p> : (
          <Table
            label="Lookup tables"
            rows={rows}
            id={(table) => table.name}
            columns={[
              { name: 'Name', cell: (table) => <a href={`/api/v1/lookups/${encodeURIComponent(table.name)}/data`} download={`${table.name}.csv`}>{table.name}</a> },
              { name: 'Columns', cell: (table) => table.columns.map((column) => column.name).join(', ') },
              { name: 'Rows', align: 'right', cell: (table) => count(table.rows) },
              { name: 'Size', align: 'right', cell: (table) => bytes(table.bytes) },
              { name: 'Version', align: 'right', cell: (table) => table.version },
              { name: 'Uploaded', cell: (table) => <><When time={table.created_at} /> by {table.created_by}</> },
              { name: 'Actions', align: 'actions', cell: (table) => <Button look="quiet" onClick={() => remove.mutate(table)} aria-label={`Delete ${table.name}`}>Delete</Button> },
            ]}
          />
        )}
      </Loaded>
    </Section>
  )
}
