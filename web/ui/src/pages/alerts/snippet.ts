/** A detector to begin with, for the empty pages. */
export const DETECTOR_SNIPPET = `detectors:
  errors:
    type: threshold
    query: "severity>=error | stats count() as n by service"
    condition: "n > 50"
    window: 5m
    every: 1m
    notify: [oncall]
notifiers:
  oncall: {type: webhook, url: "https://example.com/hook"}`
