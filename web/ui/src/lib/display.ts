/** How events are shown: the URL's word where it has one, else the reader's own setting. */
import { usePreference, utcPreference, wrapPreference } from './prefs'

interface DisplaySearch { readonly tz?: 'utc' | 'local'; readonly wrap?: 'on' | 'off' }

export function useDisplay(search: DisplaySearch): { utc: boolean; wrap: boolean } {
  const [utc, wrap] = [usePreference(utcPreference), usePreference(wrapPreference)]
  return { utc: search.tz === undefined ? utc : search.tz === 'utc', wrap: search.wrap === undefined ? wrap : search.wrap === 'on' }
}
