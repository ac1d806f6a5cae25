/** Keys that work anywhere on a page, except while someone is typing. */
import { useEffect, useEffectEvent } from 'react'

export type Hotkeys = Readonly<Record<string, (event: KeyboardEvent) => void>>

/** The key as the tables name it: `j`, `/`, `?`, `Escape`, `mod+k` (Cmd on a Mac, Ctrl elsewhere). */
function nameOf(event: KeyboardEvent): string {
  return `${event.metaKey || event.ctrlKey ? 'mod+' : ''}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}

/**
 * Bind keys while the component is shown; those with `mod+` also work while typing; none works behind an open dialog.
 *
 * A page's keys come before those of the app around it: an event reaches the document before the window.
 */
export function useHotkeys(keys: Hotkeys, of: 'page' | 'app' = 'page'): void {
  const handle = useEffectEvent((event: KeyboardEvent) => {
    const name = nameOf(event)
    const action = keys[name]
    if (!action || event.defaultPrevented || event.altKey) return
    if (!name.startsWith('mod+') && (isTyping(event.target) || document.querySelector('dialog[open]'))) return
    event.preventDefault()
    action(event)
  })
  useEffect(() => {
    const target = of === 'page' ? document : window
    const listener = (event: Event): void => handle(event as KeyboardEvent)
    target.addEventListener('keydown', listener)
    return () => target.removeEventListener('keydown', listener)
  }, [of])
}
