/**
 * Cordwood in a page: what goes wrong there becomes events.
 *
 *     <script src="https://logs.example/cordwood.js" data-key="cw_…" data-service="shop"></script>
 *
 * data-key: a token whose origins name this page. data-service: the service of the events. data-console: from which
 * level on the console's lines are events: debug, log, info, warn (where it is not given), error, or off. data-to:
 * another server than the one that served this script.
 *
 * A page has `cordwood.log(severity, message, fields)`, `cordwood.fields` (fields of all events), `cordwood.scrub` (a
 * function that is given each event last and returns it, or nothing to leave it out) and `cordwood.flush()`.
 *
 * A batch is kept in localStorage until the server has answered for it, so that it outlives a page that is left and a
 * network that is gone; it has an id, so that it is stored once however often it is sent.
 *
 * `npm run browser` in web/ui makes cordwood.min.js of it, which is what is served.
 */
;(() => {
  if (window.cordwood) return
  const EVERY_MS = 2000 // from the first event of a batch until it is sent
  const MOST_EVENTS = 100 // of a batch; more within its time are counted: a page in a loop must not fill the store
  const MOST_CHARACTERS = 40_000 // of a batch: browsers take 64 KiB of beacons when a page is left
  const MOST_KEPT = 12 // batches in localStorage; then the oldest goes
  const LONGEST_TEXT = 8000
  const LONGEST_PAUSE_MS = 300_000 // between two tries
  const PREFIX = 'cordwood.'
  const SEVERITIES = { debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR' }
  const LEVELS = Object.keys(SEVERITIES)
  const SECRETS = [
    [/(\w:\/\/)[^\s/@]+@/g, '$1'], // who signs in by an address
    [/(https?:\/\/[^\s?#"'<>]+)[?#][^\s"'<>)]*?(?=(:\d+)*([\s"'<>)]|$))/g, '$1'], // a query, not the line behind it
    [/[\w.+-]{1,64}@[\w-]+(\.[\w-]+)+/g, '<email>'],
    [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '<token>'],
    [/(bearer\s+|(?:passw(?:or)?d|pwd|secret|token|api[_-]?key|authorization)["']?\s*[=:]\s*["']?)[^\s"'&,;}]+/gi, '$1<secret>'],
    [/\b(?:\d[ -]?){12,18}\d\b/g, '<number>'], // a card's
  ]

  const { dataset, src } = document.currentScript
  const address = `${dataset.to || new URL(src).origin}/api/v1/browser?key=${encodeURIComponent(dataset.key || '')}`
  const random = () => Date.now().toString(36) + crypto.getRandomValues(new Uint32Array(3)).join('')
  const storage = (name) => {
    try {
      window[name].setItem(PREFIX, '')
      window[name].removeItem(PREFIX)
      return window[name]
    } catch {
      return {} // forbidden, or full: it lasts as long as the page
    }
  }
  const store = storage('localStorage')
  const session = (storage('sessionStorage')[PREFIX + 'session'] ||= random())
  let lines = []
  let size = 0
  let lost = 0
  let busy = false
  let timer = 0
  let draining = false
  let pause = EVERY_MS

  const scrubbed = (text) => SECRETS.reduce((left, [pattern, by]) => left.replace(pattern, by), String(text).slice(0, LONGEST_TEXT))
  const kept = () => Object.keys(store).filter((name) => name.startsWith(PREFIX)).sort()
  const url = (name) => `${address}&id=${name}&at=${Date.now()}`

  function readable(value) {
    try {
      if (value instanceof Error) return value.stack || String(value)
      return typeof value === 'object' ? JSON.stringify(value) : String(value)
    } catch {
      return String(value)
    }
  }

  function log(severity, message, fields) {
    if (busy) return // what `scrub` itself says, or does wrong
    busy = true
    try {
      let event = { timestamp: Date.now(), severity, service: dataset.service, message, 'url.full': location.href, 'session.id': session, ...api.fields, ...fields }
      for (const name in event) if (typeof event[name] === 'string') event[name] = scrubbed(event[name])
      event = api.scrub ? api.scrub(event) : event
      if (!event) return
      const line = JSON.stringify(event)
      if (lines.length < MOST_EVENTS && size + line.length < MOST_CHARACTERS) {
        size += line.length
        lines.push(line)
      } else lost++
    } catch {
      lost++
    } finally {
      busy = false
    }
    timer ||= setTimeout(flush, EVERY_MS)
  }

  function close() {
    clearTimeout(timer)
    timer = 0
    if (lost) lines.push(JSON.stringify({ severity: 'WARN', service: dataset.service, message: `${lost} events of this page were left out`, 'browser.left_out': lost }))
    lost = 0
    try {
      if (lines.length) store[PREFIX + random()] = lines.join('\n')
    } catch {
      lost = lines.length // the page's own data fills the storage
    }
    lines = []
    size = 0
    for (const name of kept().slice(0, -MOST_KEPT)) delete store[name]
  }

  async function drain() {
    if (draining) return
    draining = true
    try {
      for (const name of kept()) {
        const { ok, status } = await fetch(url(name), { method: 'POST', body: store[name], credentials: 'omit' })
        if (!ok && (status > 499 || status === 429)) throw status
        delete store[name] // taken, or refused for good
      }
      pause = EVERY_MS
    } catch {
      setTimeout(drain, pause * (1 + Math.random()))
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
    }
    draining = false
  }

  function flush() {
    close()
    return drain()
  }

  /** By beacons, which outlive the page; what they carry is kept, for nobody hears whether they arrive. */
  function leave() {
    close()
    kept().every((name) => navigator.sendBeacon(url(name), store[name]))
  }

  const thrown = (error) => (error instanceof Error ? { 'exception.type': error.name, 'exception.message': error.message, 'exception.stacktrace': error.stack } : {})
  const api = (window.cordwood = { log, flush, fields: {}, scrub: null })

  addEventListener('error', ({ target, message, error, filename, lineno, colno }) => {
    const missing = target?.src || target?.href
    if (missing) log('WARN', `not loaded: ${missing}`)
    else log('ERROR', message, { ...thrown(error), 'code.file.path': filename, 'code.line.number': lineno, 'code.column.number': colno })
  }, true)
  addEventListener('unhandledrejection', ({ reason }) => log('ERROR', `unhandled rejection: ${reason?.message || readable(reason)}`, thrown(reason)))
  addEventListener('visibilitychange', () => (document.hidden ? leave() : drain()))
  addEventListener('pagehide', leave)
  addEventListener('online', drain)
  const first = LEVELS.indexOf(dataset.console || 'warn')
  for (const level of first < 0 ? [] : LEVELS.slice(first)) {
    const original = console[level]
    console[level] = (...values) => {
      original.apply(console, values)
      log(SEVERITIES[level], values.map(readable).join(' '), { 'browser.console': level, ...thrown(values.find((value) => value instanceof Error)) })
    }
  }
  drain()
})()
