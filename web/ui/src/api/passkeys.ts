/** Passkeys: what the server asks, what the device answers, and base64url between them. */
import { http, unwrap } from './client'
import { problem } from './problem'
import type { components } from './schema'

type Schemas = components['schemas']
export type Passkey = Schemas['Passkey']
type Session = Schemas['SessionState']

export const canUsePasskeys = (): boolean => 'PublicKeyCredential' in window

function decoded(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
}

function encoded(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function made(credential: Credential | null): PublicKeyCredential {
  if (!(credential instanceof PublicKeyCredential)) throw new Error('The device gave no passkey.')
  return credential
}

/** What the device refused, in words: its own error says little, and so does the browser. */
function told(error: unknown): never {
  if (!(error instanceof DOMException)) throw error
  if (error.name === 'InvalidStateError') throw new Error('This device has a passkey for this account already.')
  if (error.name === 'SecurityError') throw new Error('Passkeys need a host name with HTTPS, or localhost.')
  throw new Error('No passkey was used: it was cancelled, or there is none here.')
}

/** Sign in with a passkey of this site. */
export async function signInByPasskey(): Promise<Session> {
  const options = unwrap(await http.POST('/api/v1/session/passkey/options'))
  const publicKey = { challenge: decoded(options.challenge), rpId: options.rpId, timeout: options.timeout, userVerification: 'required' } as const
  const credential = made(await navigator.credentials.get({ publicKey }).catch(told))
  const response = credential.response as AuthenticatorAssertionResponse
  return unwrap(await http.POST('/api/v1/session/passkey', {
    body: {
      id: credential.id,
      rawId: encoded(credential.rawId),
      type: 'public-key',
      response: {
        clientDataJSON: encoded(response.clientDataJSON),
        authenticatorData: encoded(response.authenticatorData),
        signature: encoded(response.signature),
        userHandle: response.userHandle && encoded(response.userHandle),
      },
    },
  }))
}

/** Make a passkey on a device, and keep its public key under a name. */
export async function addPasskey(name: string): Promise<Passkey> {
  const options = unwrap(await http.POST('/api/v1/session/passkeys/options'))
  const publicKey: PublicKeyCredentialCreationOptions = {
    rp: options.rp,
    user: { ...options.user, id: decoded(options.user.id) },
    challenge: decoded(options.challenge),
    pubKeyCredParams: options.pubKeyCredParams.map(({ alg }) => ({ type: 'public-key', alg })),
    timeout: options.timeout,
    excludeCredentials: options.excludeCredentials.map(({ id }) => ({ type: 'public-key', id: decoded(id) })),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    attestation: 'none',
  }
  const credential = made(await navigator.credentials.create({ publicKey }).catch(told))
  const response = credential.response as AuthenticatorAttestationResponse
  const { data, error, response: reply } = await http.POST('/api/v1/session/passkeys', {
    body: {
      name,
      credential: {
        id: credential.id,
        rawId: encoded(credential.rawId),
        type: 'public-key',
        response: { clientDataJSON: encoded(response.clientDataJSON), attestationObject: encoded(response.attestationObject) },
      },
    },
  })
  if (data === undefined) throw problem(reply.status, error)
  return data
}

export const passkeys = async (signal: AbortSignal): Promise<Passkey[]> => unwrap(await http.GET('/api/v1/session/passkeys', { signal })).items

export async function deletePasskey(id: number): Promise<void> {
  const { error, response } = await http.DELETE('/api/v1/session/passkeys/{id}', { params: { path: { id } } })
  if (!response.ok) throw problem(response.status, error)
}
