import type { ComponentProps, ReactNode } from 'react'
import { cx } from '@/lib/cx'
import styles from './Button.module.css'

interface ButtonProps extends ComponentProps<'button'> {
  readonly look?: 'plain' | 'primary' | 'quiet' | 'danger'
  readonly icon?: ReactNode
  readonly pressed?: boolean
  /** A quiet one below a text: it begins where the text does. */
  readonly flush?: boolean
}

/** A button; `pressed` makes it a toggle. */
export function Button({ look = 'plain', icon, pressed, flush, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={cx(styles.button, styles[look], !children && styles.square, pressed && styles.pressed, flush && styles.flush, className)}
      aria-pressed={pressed}
      {...rest}
    >
      {icon}
      {children && <span className={styles.label}>{children}</span>}
    </button>
  )
}
