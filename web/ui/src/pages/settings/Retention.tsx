import { useQuery } from '@tanstack/react-query'
import { Archive } from 'lucide-react'
import { admin } from '@/api/admin'
import { Empty, Snippet } from '@/components/ui/States'
import { Table } from '@/components/ui/Table'
import { bytes, count } from '@/lib/format'
import { Loaded, Section, When } from './parts'

const SNIPPET = `store:
  retention: 30d
  streams:
    debug: {retention: 3d}`

/** How long events are kept, and what goes next. */
export function Retention() {
  const retention = useQuery({ queryKey: ['retention'], queryFn: ({ signal }) => admin.retention(signal) })
  return (
    <Section label="Retention" lead="The rules that hold, as the pipeline file has them, and what each takes next.">
      <Loaded query={retention}>
        {(rows) => rows.length === 0 ? (
          <Empty title="Everything is kept" icon={<Archive />}><p>No rule says how long. Write one into the pipeline file:</p><Snippet label="Retention in YAML" text={SNIPPET} /></Empty>
        ) : (
          <Table
            label="Rules"
            rows={rows}
            id={(rule) => `${rule.project ?? ''} ${rule.rule}`}
            columns={[
              { name: 'Rule', cell: (rule) => rule.rule },
              { name: 'Project', cell: (rule) => rule.project ?? 'all' },
              { name: 'Keeps', cell: (rule) => rule.retention ?? 'by size' },
              { name: 'Search', cell: (rule) => (rule.query === null ? 'all events' : <code>{rule.query}</code>) },
              { name: 'Due now', align: 'right', cell: (rule) => `${count(rule.events)} events, ${bytes(rule.bytes)}` },
              { name: 'Next', cell: (rule) => <When time={rule.next_at} never="—" /> },
            ]}
          />
        )}
      </Loaded>
    </Section>
  )
}
