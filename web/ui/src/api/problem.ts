/** What the server says when it refuses: RFC 9457 problems, as an error to throw. */

/** A place in the query, counted from 1, with what is wrong there. */
export interface Place {
  readonly line: number
  readonly column: number
  readonly message: string
  readonly hint: string | null
  /** JSON pointer to the text of the document that the place is in. */
  readonly pointer?: string
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly places: readonly Place[] = [],
    /** A URI of the kind of problem, where there is something to do about it. */
    readonly type = '',
  ) {
    super(message)
    this.name = 'ApiError'
  }

  /** Refused for what the query says, rather than for the state of server or network. */
  get isQueryError(): boolean {
    return this.status === 400 && this.places.length > 0
  }
}

/** Read a problem document, or make the best of an answer that is none. */
export function problem(status: number, body: unknown): ApiError {
  if (typeof body !== 'object' || body === null) return new ApiError(status, typeof body === 'string' && body.length < 500 ? body : `The server answered with status ${status}.`)
  const { detail, title, errors, type } = body as { detail?: unknown; title?: unknown; errors?: unknown; type?: unknown }
  const places = (Array.isArray(errors) ? errors : []).filter(isPlace).map((place) => ({ ...place, hint: place.hint || null }))
  const message = [detail, places[0]?.message, title].find((text) => typeof text === 'string' && text !== '') as string | undefined
  return new ApiError(status, message ?? `The server answered with status ${status}.`, places, typeof type === 'string' ? type : '')
}

function isPlace(value: unknown): value is Place {
  if (typeof value !== 'object' || value === null) return false
  const place = value as Partial<Record<keyof Place, unknown>>
  return typeof place.message === 'string' && typeof place.line === 'number' && typeof place.column === 'number'
}

/** What to show for anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message
  if (error instanceof TypeError) return 'The server cannot be reached. Is Cordwood running?'
  return error instanceof Error ? error.message : String(error)
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'
