/** Severities as the UI shows them: six levels, each with OpenTelemetry's steps folded in (ERROR2 is an ERROR). */

export const LEVELS = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const
export type Level = (typeof LEVELS)[number] | 'NONE'

/** The level of a severity's name; NONE where there is none or the name is unknown. */
export function levelOf(severity: unknown): Level {
  if (typeof severity !== 'string') return 'NONE'
  const name = severity.toUpperCase().replace(/[234]$/, '')
  return LEVELS.find((level) => level === name) ?? 'NONE'
}

/** The CSS variable that holds the level's colour, from `styles/tokens.css`. */
export const levelVariable = (level: Level): string => `--sev-${level.toLowerCase()}`
