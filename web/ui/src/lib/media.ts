import { useSyncExternalStore } from 'react'

/** Does the window match, now and after every change of its size? */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query)
      media.addEventListener('change', listener)
      return () => media.removeEventListener('change', listener)
    },
    () => matchMedia(query).matches,
  )
}

export const useNarrow = (): boolean => useMedia('(max-width: 720px)')
