/** The first of these that a `User-Agent` has is the browser: most claim to be several, the real one is the rarer word. */
const BROWSERS = [['Edg', 'Edge'], ['OPR', 'Opera'], ['SamsungBrowser', 'Samsung Internet'], ['Firefox', 'Firefox'], ['FxiOS', 'Firefox'], ['CriOS', 'Chrome'], ['HeadlessChrome', 'Chrome'], ['Chrome', 'Chrome'], ['Safari', 'Safari']] as const
const SYSTEMS = [['iPhone', 'iOS'], ['iPad', 'iPadOS'], ['Android', 'Android'], ['Windows', 'Windows'], ['CrOS', 'ChromeOS'], ['Mac OS X', 'macOS'], ['Linux', 'Linux']] as const

/** `Firefox on Windows`, of a `User-Agent`; of one that names no browser we know, its own words. */
export function browserName(agent: string): string {
  const browser = BROWSERS.find(([word]) => agent.includes(`${word}/`))?.[1]
  const system = SYSTEMS.find(([word]) => agent.includes(word))?.[1]
  if (browser === undefined) return agent || 'unknown'
  return system === undefined ? browser : `${browser} on ${system}`
}
