/** A reader's own settings, kept in the browser and shared by every component that shows them. */
import { useSyncExternalStore } from 'react'

export interface Preference<T> {
  get: () => T
  set: (value: T) => void
  subscribe: (listener: () => void) => () => void
}

/** A preference under `cordwood.<name>`; what is stored is checked by `valid`, else the default is taken. */
export function preference<T>(name: string, initial: T, valid: (value: unknown) => value is T): Preference<T> {
  const key = `cordwood.${name}`
  const listeners = new Set<() => void>()
  let value = load()

  function load(): T {
    try {
      const stored: unknown = JSON.parse(localStorage.getItem(key) ?? 'null')
      return valid(stored) ? stored : initial
    } catch {
      return initial // forbidden storage, or text that is no JSON
    }
  }

  return {
    get: () => value,
    set: (next) => {
      value = next
      try {
        localStorage.setItem(key, JSON.stringify(next))
      } catch {
        // Without storage the setting lasts as long as the page.
      }
      for (const listener of listeners) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export const usePreference = <T>(from: Preference<T>): T => useSyncExternalStore(from.subscribe, from.get)

export type Theme = 'system' | 'light' | 'dark'
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string')

export const themePreference = preference<Theme>('theme', 'system', (value): value is Theme => value === 'system' || value === 'light' || value === 'dark')
export const utcPreference = preference('utc', false, isBoolean)
export const wrapPreference = preference('wrap', false, isBoolean)
export const sidebarPreference = preference('fields', true, isBoolean)
export const historyPreference = preference<string[]>('history', [], isTexts)

const HISTORY_LENGTH = 50

/** Put a query at the head of the history; the same text is kept once. */
export function remember(query: string): void {
  const text = query.trim()
  if (!text) return
  historyPreference.set([text, ...historyPreference.get().filter((item) => item !== text)].slice(0, HISTORY_LENGTH))
}

/** Apply the theme to the page; `system` leaves it to the media query. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}
