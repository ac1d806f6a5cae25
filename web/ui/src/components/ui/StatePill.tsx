import { Activity, BellOff, CircleAlert, CircleCheck, CircleDashed, CircleX, Eye } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '@/lib/cx'
import styles from './StatePill.module.css'

const LOOKS: Record<string, { icon: ReactNode; tone: 'bad' | 'wait' | 'good' | 'still' }> = {
  open: { icon: <CircleAlert />, tone: 'bad' },
  firing: { icon: <CircleAlert />, tone: 'bad' },
  error: { icon: <CircleX />, tone: 'bad' },
  failed: { icon: <CircleX />, tone: 'bad' },
  flapping: { icon: <Activity />, tone: 'wait' },
  acknowledged: { icon: <Eye />, tone: 'wait' },
  silenced: { icon: <BellOff />, tone: 'still' },
  active: { icon: <BellOff />, tone: 'wait' },
  coming: { icon: <CircleDashed />, tone: 'still' },
  pending: { icon: <CircleDashed />, tone: 'wait' },
  resolved: { icon: <CircleCheck />, tone: 'good' },
  sent: { icon: <CircleCheck />, tone: 'good' },
  ok: { icon: <CircleCheck />, tone: 'good' },
  running: { icon: <CircleCheck />, tone: 'good' },
  waiting: { icon: <CircleDashed />, tone: 'wait' },
}

/** A state as word and sign, coloured besides. */
export function StatePill({ state }: { readonly state: string }) {
  const look = LOOKS[state] ?? { icon: <CircleDashed />, tone: 'still' as const }
  return <span className={cx(styles.pill, styles[look.tone])}>{look.icon}{state}</span>
}
