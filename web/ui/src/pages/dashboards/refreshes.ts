/** How often a dashboard may run its queries again. */
export const REFRESHES: readonly { readonly text: string; readonly label: string }[] = [
  { text: 'off', label: 'Off' },
  { text: '10s', label: 'Every 10 s' },
  { text: '30s', label: 'Every 30 s' },
  { text: '1m', label: 'Every minute' },
  { text: '5m', label: 'Every 5 min' },
  { text: '1h', label: 'Every hour' },
]
