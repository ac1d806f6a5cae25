import type { Answer } from '@/api/client'
import type { Panel, PanelKind } from '@/api/dashboards'
import type { FieldValue } from '@/lib/query/edit'
import type { Resolved } from '@/lib/time/range'

export const KINDS: readonly { readonly kind: PanelKind; readonly name: string; readonly about: string }[] = [
  { kind: 'timeseries', name: 'Time series', about: 'the rows of a timechart as lines' },
  { kind: 'bar', name: 'Bars', about: 'a timechart as stacked bars, other rows as a bar each' },
  { kind: 'number', name: 'Number', about: 'the first number, large' },
  { kind: 'top', name: 'Top list', about: 'names with bars: top, patterns, stats … by' },
  { kind: 'table', name: 'Table', about: 'the rows' },
  { kind: 'pie', name: 'Pie', about: 'parts of a whole' },
  { kind: 'heatmap', name: 'Heat map', about: 'a timechart … by as a grid' },
  { kind: 'markdown', name: 'Text', about: 'Markdown, without a query' },
]

/** What every kind is drawn from. */
export interface DrawProps {
  readonly panel: Panel
  readonly answer: Answer
  readonly utc: boolean
  /** The range that the answer is of. */
  readonly range: Resolved
  /** A range was dragged over, in milliseconds. */
  readonly onZoom: (from: number, to: number) => void
  /** These values were clicked; without it none can be. */
  readonly onPick?: (keys: readonly (readonly [string, FieldValue])[]) => void
}
