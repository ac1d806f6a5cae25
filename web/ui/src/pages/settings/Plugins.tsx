import { useQuery } from '@tanstack/react-query'
import { admin } from '@/api/admin'
import { Table } from '@/components/ui/Table'
import { Loaded, Section } from './parts'
import styles from './settings.module.css'

/** What is installed, with versions, and what could not be loaded. */
export function Plugins() {
  const plugins = useQuery({ queryKey: ['plugins'], queryFn: ({ signal }) => admin.plugins(signal) })
  return (
    <Section label="Plugins" lead="Sources, parsers, detectors, notifiers and places that are installed. A package that fails to load stops no other.">
      <Loaded query={plugins}>
        {({ plugins: rows, failures }) => (
          <>
            {failures.map((failure) => <p key={failure.entry_point} role="alert" className={styles.bad}>{failure.entry_point} of {failure.package} is not loaded: {failure.reason}</p>)}
            <Table
              label="Plugins"
              rows={rows}
              id={(plugin) => `${plugin.kind} ${plugin.type}`}
              columns={[
                { name: 'Type', cell: (plugin) => <code>{plugin.type}</code> },
                { name: 'Kind', cell: (plugin) => plugin.kind },
                { name: 'What it does', cell: (plugin) => plugin.summary.replaceAll('`', '') },
                { name: 'Package', cell: (plugin) => <span className={styles.package}>{plugin.package} {plugin.version}</span> },
              ]}
            />
          </>
        )}
      </Loaded>
    </Section>
  )
}
