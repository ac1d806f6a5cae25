/** Fields that have a column of their own in the list of events, as the URL has them: names with commas between. */

export const MOST_COLUMNS = 8
export const NO_COLUMNS: readonly string[] = []
/** Fields that every row shows in a place of their own. */
export const IN_EVERY_ROW: ReadonlySet<string> = new Set(['timestamp', 'observed_timestamp', 'message', 'severity', 'severity_text', 'severity_number', 'service'])

/** A comma or a backslash that is part of a name has a backslash before it. */
export const joinColumns = (names: readonly string[]): string => names.map((name) => name.replace(/[\\,]/g, '\\$&')).join(',')

export function splitColumns(text: string | undefined): readonly string[] {
  if (!text) return NO_COLUMNS
  const names = (text.match(/(?:\\[\s\S]|[^,\\])+/g) ?? []).map((name) => name.replace(/\\([\s\S])/g, '$1'))
  return [...new Set(names)].slice(0, MOST_COLUMNS)
}

/** With a column more at the end, or with that one taken out. */
export const withColumn = (names: readonly string[], name: string): readonly string[] => (names.includes(name) ? names.filter((one) => one !== name) : [...names, name])
