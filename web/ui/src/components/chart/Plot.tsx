import { useEffect, useEffectEvent, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import styles from './Plot.module.css'

interface PlotProps {
  /** Everything but the size; a new object makes a new chart. */
  readonly options: Omit<uPlot.Options, 'width' | 'height'>
  readonly data: uPlot.AlignedData
  readonly height: number
  /** What a screen reader says of the chart. */
  readonly label: string
  /** Called with milliseconds when a range was dragged. */
  readonly onZoom?: ((from: number, to: number) => void) | undefined
  readonly onHover?: ((index: number | null, left: number) => void) | undefined
}

const MIN_DRAG = 4 // pixels: less is a click that slipped

/** A uPlot chart that follows the width of its place. */
export function Plot({ options, data, height, label, onZoom, onHover }: PlotProps) {
  const host = useRef<HTMLDivElement>(null)
  const zoom = useEffectEvent((from: number, to: number) => onZoom?.(from, to))
  const hover = useEffectEvent((index: number | null, left: number) => onHover?.(index, left))

  useEffect(() => {
    const place = host.current
    if (!place) return undefined
    const chart = new uPlot(
      {
        ...options,
        width: Math.max(100, place.clientWidth),
        height,
        hooks: {
          ...options.hooks,
          setSelect: [
            (plot) => {
              const { left, width } = plot.select
              if (width >= MIN_DRAG) zoom(plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000)
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            },
          ],
          setCursor: [(plot) => hover(plot.cursor.idx ?? null, (plot.cursor.left ?? 0) + (plot.bbox.left / devicePixelRatio))],
        },
      },
      data,
      place,
    )
    const observer = new ResizeObserver(() => {
      if (place.clientWidth > 0 && place.clientWidth !== chart.width) chart.setSize({ width: place.clientWidth, height })
    })
    observer.observe(place)
    return () => {
      observer.disconnect()
      chart.destroy()
    }
  }, [options, data, height])

  return <div ref={host} className={styles.plot} role="img" aria-label={label} />
}
