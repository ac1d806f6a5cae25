import { useEffect, useRef, type ReactNode } from 'react'
import { cx } from '@/lib/cx'
import styles from './Modal.module.css'

interface ModalProps {
  readonly label: string
  readonly onClose: () => void
  readonly className?: string | undefined
  readonly children: ReactNode
}

/** The browser's own modal dialog: it holds the focus, Escape or a click beside it closes. Shown while mounted. */
export function Modal({ label, onClose, className, children }: ModalProps) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = ref.current
    if (dialog && !dialog.open) dialog.showModal()
    dialog?.querySelector<HTMLElement>('[data-autofocus]')?.focus() // the browser takes the first button
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={ref}
      aria-label={label}
      className={cx(styles.modal, className)}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => event.target === ref.current && onClose()}
    >
      <div className={styles.body}>{children}</div>
    </dialog>
  )
}
