import { X } from 'lucide-react'
import { QueryExamples } from '@/components/query/QueryExamples'
import { Button } from '@/components/ui/Button'
import { Modal } from '@/components/ui/Modal'
import styles from './Help.module.css'

const KEYS: readonly [string[], string][] = [
  [['/'], 'go to the search box'],
  [['j'], 'next event'],
  [['k'], 'previous event'],
  [['x'], 'open or close the event'],
  [['Esc'], 'close; leave the box'],
  [['Ctrl', 'K'], 'go anywhere (⌘ K on a Mac)'],
  [['w'], 'wrap long lines'],
  [['u'], 'local time or UTC'],
  [['p'], 'pause or follow the tail'],
  [['e'], 'edit the dashboard'],
  [['r'], 'refresh the dashboard'],
  [['f'], 'full screen, on a dashboard'],
  [['?'], 'this help'],
]

/** Keys, and the query language by examples. */
export default function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <Modal label="Help" onClose={onClose} className={styles.wide}>
      <header className={styles.head}>
        <h2>Keys and queries</h2>
        <Button look="quiet" icon={<X />} aria-label="Close" onClick={onClose} />
      </header>
      <div className={styles.columns}>
        <dl className={styles.keys}>
          {KEYS.map(([keys, what]) => (
            <div key={what}>
              <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <QueryExamples />
      </div>
    </Modal>
  )
}
