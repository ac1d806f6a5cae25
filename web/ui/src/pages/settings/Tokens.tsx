import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { admin, SCOPES, type Scope, type Token } from '@/api/admin'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Checks, Field, Form } from '@/components/ui/Form'
import { Snippet } from '@/components/ui/States'
import { Table, type Column } from '@/components/ui/Table'
import { pageSnippet, sendSnippet } from '@/lib/snippets'
import { asksAgain, SignInAgain } from './SignInAgain'
import { Loaded, Once, Section, When } from './parts'
import styles from './settings.module.css'

const SPANS = [['', 'never'], ['30d', 'in 30 days'], ['90d', 'in 90 days'], ['365d', 'in a year']] as const

/** What programs show to be let in: made once, shown once, revoked at any time. */
export function Tokens() {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<Scope[]>(['ingest'])
  const [origins, setOrigins] = useState('')
  const [validFor, setValidFor] = useState('')
  const [project, setProject] = useState('')
  const [once, setOnce] = useState<{ token: Token; secret: string } | null>(null)
  const tokens = useQuery({ queryKey: ['tokens'], queryFn: ({ signal }) => admin.tokens(signal) })
  const projects = useQuery({ queryKey: ['projects'], queryFn: ({ signal }) => admin.projects(signal) })
  const again = () => client.invalidateQueries({ queryKey: ['tokens'] })
  const pages = origins.split(/[\s,]+/).filter((one) => one !== '')
  const isForBrowsers = pages.length > 0
  const create = useMutation({
    mutationFn: () => admin.createToken({ name, ...(isForBrowsers ? { scopes: ['ingest'], origins: pages } : { scopes }), ...(validFor && { valid_for: validFor }), ...(project && { project }) }),
    onSuccess: async ({ token, secret }) => {
      setName('')
      setOrigins('')
      setScopes(['ingest'])
      setOnce({ token, secret })
      await again()
    },
  })
  const revoke = useMutation({ mutationFn: (token: Token) => admin.revokeToken(token.id), onSettled: again })
  const several = (projects.data?.length ?? 0) > 1
  const columns: Column<Token>[] = [
    { name: 'Name', cell: (token) => <span className={token.revoked_at ? styles.off : undefined}>{token.name}</span> },
    ...(several ? [{ name: 'Project', cell: (token: Token) => token.project }] : []),
    { name: 'Scopes', cell: (token) => token.scopes.join(', ') },
    { name: 'Origins', cell: (token) => token.origins.join(', ') || <span className={styles.off}>none</span> },
    { name: 'Created', cell: (token) => <When time={token.created_at} /> },
    { name: 'Last used', cell: (token) => <When time={token.last_used_at} /> },
    { name: 'Expires', cell: (token) => (token.revoked_at ? <span className={styles.off}>revoked</span> : <When time={token.expires_at} />) },
    { name: 'Actions', align: 'actions', cell: (token) => !token.revoked_at && <Button look="quiet" onClick={() => revoke.mutate(token)} aria-label={`Revoke ${token.name}`}>Revoke</Button> },
  ]
  return (
    <Section label="API tokens" lead="Programs show a token: in Authorization as Bearer, as the password of Basic, or in their own key header. A revoked one is refused within a second.">
      {once && (
        <Once title={`Token ${once.token.name}`} secret={once.secret} onClose={() => setOnce(null)}>
          {once.token.origins.length > 0
            ? <Snippet label="Put this into the pages" text={pageSnippet(location.origin, once.secret)} />
            : once.token.scopes.includes('ingest') && <Snippet label="Send an event with this token" text={sendSnippet(location.origin, once.secret)} />}
        </Once>
      )}
      <div className={styles.panel}>
        <Form label="Create a token" error={asksAgain(create.error) ? null : create.error} onSubmit={() => create.mutate()}>
          <Field label="Name" grow><input required maxLength={200} value={name} placeholder="fluent-bit on web-1" onChange={(event) => setName(event.target.value)} /></Field>
          {several && <Field label="Project"><select value={project} onChange={(event) => setProject(event.target.value)}><option value="">yours</option>{projects.data?.map((one) => <option key={one.name}>{one.name}</option>)}</select></Field>}
          <Field label="Expires"><select value={validFor} onChange={(event) => setValidFor(event.target.value)}>{SPANS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select></Field>
          <Field label="Origins" grow><input maxLength={3000} value={origins} placeholder="for pages: https://shop.example" onChange={(event) => setOrigins(event.target.value)} /></Field>
          {!isForBrowsers && <Checks label="Scopes" options={SCOPES} chosen={scopes} onChange={setScopes} />}
          <Button type="submit" look="primary" disabled={create.isPending || (scopes.length === 0 && !isForBrowsers)}>Create a token</Button>
        </Form>
        {isForBrowsers && <p className={styles.note}>A token with origins is for scripts of these pages, where everybody can read it: it sends events, and does nothing else.</p>}
        <SignInAgain error={create.error} onDone={() => create.mutate()} />
      </div>
      {revoke.isError && <p role="alert" className={styles.bad}>{messageOf(revoke.error)}</p>}
      <Loaded query={tokens}>{(rows) => (rows.length > 0 ? <Table label="Tokens" columns={columns} rows={rows} id={(token) => token.id} /> : <p className={styles.dim}>No tokens yet. A shipper needs one with the scope ingest, a script that searches one with query.</p>)}</Loaded>
    </Section>
  )
}
