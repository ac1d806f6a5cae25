/** Canvas charts cannot read CSS variables: their colours are resolved here, for the theme of the moment. */
import { useEffect, useState } from 'react'
import { themePreference, usePreference } from '@/lib/prefs'

/** The computed value of a colour variable, as `rgb(…)`. */
export function colourOf(variable: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${variable})`
  document.body.append(probe)
  const colour = getComputedStyle(probe).color
  probe.remove()
  return colour
}

/** A value that changes whenever the colours do: chosen theme, or the system's while that is followed. */
export function useThemeStamp(): string {
  const theme = usePreference(themePreference)
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)')
    const listener = () => setDark(media.matches)
    media.addEventListener('change', listener)
    return () => media.removeEventListener('change', listener)
  }, [])
  return theme === 'system' ? `system-${dark}` : theme
}

/** Shades for series that are no severities, apart in lightness as in hue. */
export const SERIES = ['--sev-info', '--sev-warn', '--accent', '--sev-fatal', '--sev-error', '--sev-debug', '--syn-string', '--syn-keyword', '--sev-trace', '--ink']
