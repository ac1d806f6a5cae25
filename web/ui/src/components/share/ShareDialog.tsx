import { X } from 'lucide-react'
import type { ComponentProps } from 'react'
import { Button } from '@/components/ui/Button'
import { Modal } from '@/components/ui/Modal'
import { ShareForm } from './ShareForm'
import styles from './ShareDialog.module.css'

/** The same in a dialog. */
export default function ShareDialog({ onClose, ...props }: ComponentProps<typeof ShareForm> & { readonly onClose: () => void }) {
  return (
    <Modal label="Share by a link" onClose={onClose}>
      <header className={styles.head}>
        <h2>Share by a link</h2>
        <Button look="quiet" icon={<X />} aria-label="Close" onClick={onClose} />
      </header>
      <ShareForm {...props} />
    </Modal>
  )
}
