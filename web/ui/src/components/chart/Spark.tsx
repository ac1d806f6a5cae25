import styles from './Spark.module.css'

const HEIGHT = 26

/** A small course of counts, without axes. */
export function Spark({ bars, label }: { readonly bars: readonly number[]; readonly label: string }) {
  const most = Math.max(1, ...bars)
  return (
    <svg className={styles.spark} viewBox={`0 0 ${bars.length * 3} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {bars.map((value, at) => {
        const height = value === 0 ? 1 : Math.max(2, (value / most) * HEIGHT)
        return <rect key={at} x={at * 3} y={HEIGHT - height} width={2} height={height} className={value === 0 ? styles.none : undefined} />
      })}
    </svg>
  )
}
