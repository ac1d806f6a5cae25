/** A title as a name in addresses: `Errors & Überlauf` becomes `errors-uberlauf`. */
export function nameOf(title: string): string {
  const plain = title.normalize('NFKD').toLowerCase().replace(/[\u0300-\u036f]/g, '').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '')
  return plain.slice(0, 60).replace(/-+$/, '') || 'dashboard'
}

/** An id that no other panel has. */
export function freeId(wanted: string, taken: readonly string[]): string {
  const base = nameOf(wanted).slice(0, 50)
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`
    if (!taken.includes(id)) return id
  }
}
