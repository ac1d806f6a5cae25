import type { ComponentProps, ReactNode } from 'react'
import { cx } from '@/lib/cx'
import styles from './Button.module.css'

interface ButtonProps extends ComponentProps<'button'> {
  readonly look?: 'plain' | 'primary' | 'quiet' | 'danger'
  readonly icon?: ReactNode
  readonly pressed?: boolean
}

/** A button; `pressed` makes it a toggle. */
export function Button({ look = 'plain', icon, pressed, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={cx(styles.button, styles[look], !children && styles.square, pressed && styles.pressed, className)}
      aria-pressed={pressed}
      {...rest}
    >
      {icon}
      {children && <span className={styles.label}>{children}</span>}
    </button>
  )
}
