import styles from './Spark.module.css'

const HEIGHT = 26
const LEAST = 24 // bars that there is room for: a few do not become as wide as a wall

/** A small course of counts, without axes. */
export function Spark({ bars, label }: { readonly bars: readonly number[]; readonly label: string }) {
  const most = Math.max(1, ...bars)
  const room = Math.max(LEAST, bars.length)
  return (
    <svg className={styles.spark} viewBox={`0 0 ${room * 3} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {bars.map((value, at) => {
        const height = value === 0 ? 1 : Math.max(2, (value / most) * HEIGHT)
        return <rect key={at} x={(room - bars.length + at) * 3} y={HEIGHT - height} width={2} height={height} className={value === 0 ? styles.none : undefined} />
      })}
    </svg>
  )
}
