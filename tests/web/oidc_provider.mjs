// A real provider of OpenID Connect (oidc-provider, which is certified), for the tests: node oidc_provider.mjs PORT REDIRECT_URI
// Who signs in with the name `ann` is in the group `ops`, `eve` in none; passwords are not looked at.
import { createRequire } from 'node:module'

const { Provider } = createRequire(new URL('../../web/ui/package.json', import.meta.url))('oidc-provider')
const [port, redirectUri] = process.argv.slice(2)
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'cordwood', client_secret: 'a secret/with%signs', redirect_uris: [redirectUri] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
  pkce: { required: () => true },
  cookies: { keys: ['only for tests'] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: true, groups: id === 'ann' ? ['staff', 'ops'] : [] }),
  }),
})
provider.on('server_error', (_context, error) => console.error(error))
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'))
