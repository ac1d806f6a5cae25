/** The panel that suits a query. */
import type { Panel, PanelKind } from '@/api/dashboards'
import { withStage } from '@/lib/query/edit'
import { titleOf } from '@/lib/query/title'
import { splitStages } from '@/lib/query/tokens'

const BY_STAGE: Record<string, PanelKind> = { timechart: 'timeseries', top: 'top', rare: 'top', patterns: 'top' }

/** A search counts its events by severity, a timechart is lines, one number is large, several figures are a table. */
export function panelOf(query: string): Omit<Panel, 'id' | 'position'> {
  const { stages } = splitStages(query)
  const title = titleOf(query)
  if (stages.length === 0) return { title, kind: 'bar', query: withStage(query, 'timechart count() by severity') }
  const names = stages.map((stage) => /^\w*/.exec(stage)?.[0].toLowerCase() ?? '')
  const known = names.findLast((name) => name in BY_STAGE)
  if (known !== undefined) return { title, kind: BY_STAGE[known] ?? 'table', query }
  const stats = stages.findLast((stage) => stage.startsWith('stats'))
  return { title, kind: stats === undefined ? 'table' : kindOfStats(stats), query }
}

function kindOfStats(stats: string): PanelKind {
  let flat = stats.replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '')
  for (let before = ''; before !== flat;) [before, flat] = [flat, flat.replace(/\([^()]*\)/g, '')]
  const [figures = '', by] = flat.split(/\sby\s/i)
  if (figures.includes(',')) return 'table'
  return by === undefined ? 'number' : 'bar'
}
