import type { ReactNode, SyntheticEvent } from 'react'
import { messageOf } from '@/api/problem'
import { cx } from '@/lib/cx'
import styles from './Form.module.css'

interface FormProps { readonly label: string; readonly error?: unknown; readonly onSubmit: () => void; readonly children: ReactNode }

/** Fields and a button in a row; what the server refused stands below them. */
export function Form({ label, error, onSubmit, children }: FormProps) {
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    onSubmit()
  }
  return (
    <form className={styles.form} aria-label={label} onSubmit={submit}>
      {children}
      {error !== null && error !== undefined && <p role="alert" className={styles.wrong}>{messageOf(error)}</p>}
    </form>
  )
}

/** A labelled control. */
export function Field({ label, grow, children }: { readonly label: string; readonly grow?: boolean; readonly children: ReactNode }) {
  return <label className={cx(styles.field, grow && styles.grow)}><span>{label}</span>{children}</label>
}

interface ChecksProps<T extends string> { readonly label: string; readonly options: readonly T[]; readonly chosen: readonly T[]; readonly onChange: (chosen: T[]) => void }

/** Several of a few. */
export function Checks<T extends string>({ label, options, chosen, onChange }: ChecksProps<T>) {
  return (
    <fieldset className={styles.checks}>
      <legend>{label}</legend>
      {options.map((option) => (
        <label key={option}>
          <input type="checkbox" checked={chosen.includes(option)} onChange={(event) => onChange(options.filter((one) => (one === option ? event.target.checked : chosen.includes(one))))} />
          {option}
        </label>
      ))}
    </fieldset>
  )
}
