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

/** Bind keys while the component is shown; those with `mod+` also work while typing; none works behind an open dialog. */
export function useHotkeys(keys: Hotkeys): void {
  const handle = useEffectEvent((event: KeyboardEvent) => {
    const name = nameOf(event)
    const action = keys[name]
    if (!action || event.defaultPrevented || event.altKey) return
    if (!name.startsWith('mod+') && (isTyping(event.target) || document.querySelector('dialog[open]'))) return
    event.preventDefault()
    action(event)
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => handle(event)
    window.addEventListener('keydown', listener)
    return () => window.removeEventListener('keydown', listener)
  }, [])
}
