import { useCallback, useState } from 'react'

/** A ref for a place, and its size in pixels as it changes; 0 by 0 until it is shown. */
export function useSize(): [(place: HTMLElement | null) => (() => void) | undefined, { width: number; height: number }] {
  const [size, setSize] = useState({ width: 0, height: 0 })
  const ref = useCallback((place: HTMLElement | null) => {
    if (!place) return undefined
    const observer = new ResizeObserver(() => setSize({ width: place.clientWidth, height: place.clientHeight }))
    observer.observe(place)
    return () => observer.disconnect()
  }, [])
  return [ref, size]
}
