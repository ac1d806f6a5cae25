/** Panels that draw one value for each name: top list, bars, pie. */
import { useMemo, useState } from 'react'
import { SERIES } from '@/components/chart/colour'
import { SeverityTag } from '@/components/ui/SeverityTag'
import { cx } from '@/lib/cx'
import { categories, largest, numberText, type Category } from '@/lib/dashboards/data'
import { levelOf, levelVariable } from '@/lib/severity'
import type { DrawProps } from './kinds'
import styles from './Panels.module.css'

const share = (part: number): string => `${(part * 100).toFixed(part >= 0.0995 || part === 0 ? 0 : 1)} %`

const colour = (category: Category, at: number): string => {
  const level = levelOf(category.name)
  return level === 'NONE' ? SERIES[at % SERIES.length] ?? '--ink' : levelVariable(level)
}

function Name({ category }: { readonly category: Category }) {
  return category.keys.length === 1 && category.keys[0]?.[0] === 'severity' && levelOf(category.name) !== 'NONE'
    ? <SeverityTag severity={category.name} />
    : category.name.split('\n', 1)[0]
}

/** Names with their values, the bar behind each as long as its value. */
export function TopList({ panel, answer, onPick }: DrawProps) {
  const found = useMemo(() => categories(answer), [answer])
  const most = Math.max(...found.map((one) => Math.abs(one.value)), 0)
  return (
    <ol className={styles.top}>
      {found.map((category, at) => (
        <li key={at}>
          <button type="button" disabled={!onPick || category.keys.length === 0} title={onPick ? `${category.name}\nShow these events in Explore` : category.name} onClick={() => onPick?.(category.keys)}>
            <i style={{ width: `${most > 0 ? (100 * Math.abs(category.value)) / most : 0}%` }} />
            <span className={styles.name}><Name category={category} /></span>
            <b>{numberText(category.value, panel.unit, panel.options?.decimals)}</b>
            {category.share !== null && <em>{share(category.share)}</em>}
          </button>
        </li>
      ))}
    </ol>
  )
}

/** A standing bar for each name. */
export function Bars({ panel, answer, onPick }: DrawProps) {
  const found = useMemo(() => categories(answer), [answer])
  const most = Math.max(...found.map((one) => Math.abs(one.value)), 0)
  return (
    <ol className={styles.bars}>
      {found.map((category, at) => (
        <li key={at}>
          <button type="button" disabled={!onPick || category.keys.length === 0} title={`${category.name}: ${numberText(category.value, panel.unit, panel.options?.decimals)}`} onClick={() => onPick?.(category.keys)}>
            <b>{numberText(category.value, panel.unit, panel.options?.decimals)}</b>
            <i style={{ height: `${most > 0 ? (100 * Math.abs(category.value)) / most : 0}%`, background: `var(${levelOf(category.name) === 'NONE' ? '--sev-info' : colour(category, at)})` }} />
            <span>{category.name}</span>
          </button>
        </li>
      ))}
    </ol>
  )
}

const RADIUS = 40
const SLICES = 8

/** Parts of a whole, as a ring with a legend. */
export function Pie({ panel, answer, onPick }: DrawProps) {
  const found = useMemo(() => largest(categories(answer).filter((one) => one.value > 0), SLICES), [answer])
  const [over, setOver] = useState<number | null>(null)
  const total = found.reduce((sum, one) => sum + one.value, 0)
  const round = 2 * Math.PI * RADIUS
  // By the order of the names, as a chart of the same names has its colours.
  const names = found.map((one) => one.name).sort()
  const shade = (category: Category) => `var(${category.name === 'other' && category.keys.length === 0 ? '--sev-none' : colour(category, names.indexOf(category.name))})`
  const starts = found.map((_, at) => found.slice(0, at).reduce((sum, one) => sum + one.value, 0) / total)
  const shown = over === null ? null : found[over]
  return (
    <div className={styles.pie}>
      <svg viewBox="0 0 100 100" role="img" aria-label={`${panel.title}: ${found.map((one) => `${one.name} ${share(one.value / total)}`).join(', ')}`}>
        {found.map((category, at) => (
          <circle
            key={at} cx="50" cy="50" r={RADIUS} fill="none" stroke={shade(category)} strokeWidth={over === at ? 17 : 14}
            strokeDasharray={`${Math.max(0, (category.value / total) * round - (found.length > 1 ? 0.8 : 0))} ${round}`} strokeDashoffset={-(starts[at] ?? 0) * round} transform="rotate(-90 50 50)"
            onMouseEnter={() => setOver(at)} onMouseLeave={() => setOver(null)}
          />
        ))}
        <text x="50" y="49" className={styles.whole}>{numberText(shown?.value ?? total, panel.unit, panel.options?.decimals)}</text>
        <text x="50" y="61" className={styles.part}>{shown ? share(shown.value / total) : 'in all'}</text>
      </svg>
      <ul>
        {found.map((category, at) => (
          <li key={at}>
            <button type="button" disabled={!onPick || category.keys.length === 0} className={cx(over === at && styles.over)} title={`${category.name}: ${numberText(category.value, panel.unit)}`}
              onMouseEnter={() => setOver(at)} onMouseLeave={() => setOver(null)} onFocus={() => setOver(at)} onBlur={() => setOver(null)} onClick={() => onPick?.(category.keys)}>
              <i style={{ background: shade(category) }} />
              <span className={styles.name}>{category.name}</span>
              <em>{share(category.value / total)}</em>
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}
