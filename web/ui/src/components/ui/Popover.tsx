import { useEffect, useEffectEvent, useId, useRef, useState, type ReactNode } from 'react'
import { flushSync } from 'react-dom'
import { cx } from '@/lib/cx'
import { Button } from './Button'
import styles from './Popover.module.css'

interface PopoverProps {
  readonly label: string
  readonly icon?: ReactNode
  /** What the button shows; without it the icon stands alone and `label` is its name. */
  readonly text?: ReactNode
  readonly align?: 'start' | 'end'
  readonly look?: 'plain' | 'quiet'
  readonly className?: string | undefined
  /** What it holds is made when it is opened, and gone when it is closed. */
  readonly lazy?: boolean
  readonly children: (close: () => void) => ReactNode
}

const GAP = 6
const EDGE = 8

/** A button that opens a panel in the top layer; Escape or a click outside closes it, as the browser's popover does. */
export function Popover({ label, icon, text, align = 'start', look = 'plain', className, lazy = false, children }: PopoverProps) {
  const id = useId()
  const button = useRef<HTMLSpanElement>(null)
  const panel = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState(false)
  const close = () => document.getElementById(id)?.hidePopover()

  /** Below the button, moved in from the window's edges. */
  const place = () => {
    const [anchor, box] = [button.current?.getBoundingClientRect(), panel.current]
    if (!anchor || !box) return
    const width = box.offsetWidth
    const wanted = align === 'start' ? anchor.left : anchor.right - width
    const left = Math.max(EDGE, Math.min(wanted, document.documentElement.clientWidth - width - EDGE))
    const room = window.innerHeight - anchor.bottom - GAP - EDGE
    box.style.left = `${left}px`
    box.style.top = `${anchor.bottom + GAP}px`
    box.style.maxHeight = `${Math.max(160, room)}px`
  }
  // What it holds may come later, or grow: then it is moved in once more.
  const placeAgain = useEffectEvent(place)
  useEffect(() => {
    const box = panel.current
    if (!open || !box) return undefined
    const watch = new ResizeObserver(() => placeAgain())
    watch.observe(box)
    return () => watch.disconnect()
  }, [open])

  return (
    <>
      <span ref={button} className={cx(styles.anchor, className)}>
        <Button look={look} icon={icon} popoverTarget={id} aria-label={label} title={label} aria-haspopup="dialog">
          {text}
        </Button>
      </span>
      <div id={id} ref={panel} popover="auto" role="dialog" aria-label={label} className={styles.panel} onToggle={(event) => {
          flushSync(() => setOpen(event.newState === 'open')) // its place depends on how wide it is
          if (event.newState !== 'open') return
          place()
          panel.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus()
        }}>
        {(!lazy || open) && children(close)}
      </div>
    </>
  )
}
